"""The state directory and what lies in it."""

from pathlib import Path

from oracle.build import ArtifactCache
from oracle.errors import ConfigurationError
from oracle.guest.native import key_of_installation

HOME_MODE = 0o700


def prepare_home(home: Path) -> Path:
    """
    Make the state directory where it is missing, for its owner alone. One that is there keeps its mode: `oracle doctor` judges it.

    Raises:
        ConfigurationError: it cannot be made.
    """
    try:
        home.mkdir(mode=HOME_MODE, parents=True, exist_ok=True)
    except OSError as error:
        problem = f"ORACLE_HOME={str(home)!r}: it cannot be made ({error.strerror}); set it to a directory of your own"
        raise ConfigurationError((problem,)) from error
    return home


def artifacts(home: Path, *, is_attested: bool) -> ArtifactCache:
    """
    The modules that are kept; of what other processes built, an attested worker believes nothing (ADR 0008).

    Raises:
        ConfigurationError: the installation's key cannot be read or made.
    """
    try:
        build_key = None if is_attested else key_of_installation(home / "keys" / "builds.key")
        return ArtifactCache(home / "cache" / "wasm", build_key=build_key)
    except OSError as error:
        problem = (
            f"ORACLE_HOME={str(home)!r}: {error.filename or home} cannot be used ({error.strerror}); set it to a directory of your own"
        )
        raise ConfigurationError((problem,)) from error


def build_cache(home: Path) -> Path:
    """Where compilers keep their own."""
    return home / "cache" / "build"
