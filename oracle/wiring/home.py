"""The state directory and what lies in it."""

from pathlib import Path

from oracle.errors import ConfigurationError

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


def wasm_cache(home: Path) -> Path:
    """Where modules are kept, by sha256."""
    return home / "cache" / "wasm"


def build_cache(home: Path) -> Path:
    """Where compilers keep their own."""
    return home / "cache" / "build"
