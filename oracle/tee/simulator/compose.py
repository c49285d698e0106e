"""
The app that a machine runs: dstack's app-compose JSON, measured as the SHA-256 of its very bytes.

Source: dstack's `AppCompose` (dstack-types), of which only what is measured or shown is read here.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oracle.errors import ConfigurationError

MAX_COMPOSE_BYTES = 262_144
APP_ID_BYTES = 20
DEFAULT_COMPOSE = (
    '{"manifest_version":2,"name":"near-compute-oracle","runner":"docker-compose","docker_compose_file":"services:\\n  worker:\\n'
    '    image: near-compute-oracle\\n    volumes:\\n      - /var/run/dstack.sock:/var/run/dstack.sock\\n","kms_enabled":true,'
    '"gateway_enabled":false,"public_logs":true,"public_sysinfo":true,"public_tcbinfo":true,"key_provider_id":"","allowed_envs":[],'
    '"no_instance_id":false,"secure_time":false,"storage_fs":"zfs"}'
)


class _Manifest(BaseModel):
    """The fields that matter to a quote; dstack's others pass."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    name: str = Field(default="", max_length=256)
    no_instance_id: bool = False
    kms_enabled: bool = False
    key_provider: Literal["none", "kms", "local", "tpm"] | None = None
    storage_fs: str | None = Field(default=None, max_length=16)


@dataclass(frozen=True, slots=True)
class AppCompose:
    """A compose file as it was deployed."""

    text: str
    """Its bytes are what is hashed; never write it anew."""
    name: str
    no_instance_id: bool
    """Every machine of the app then has the same RTMR3."""
    key_provider: str
    """Who gives the app its keys, in the words of the event log: `kms`, `local-sgx`, `tpm` or `none`."""
    storage_fs: str

    @classmethod
    def from_text(cls, text: str) -> Self:
        """
        Read a compose file.

        Raises:
            ConfigurationError: it is too long, no JSON object, or a field has another type than dstack's.
        """
        size = len(text.encode())
        if size > MAX_COMPOSE_BYTES:
            raise ConfigurationError((f"the app-compose file has {size:,} bytes, allowed are {MAX_COMPOSE_BYTES:,}; shorten it",))
        try:
            manifest = _Manifest.model_validate_json(text)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors())
            raise ConfigurationError((f"the app-compose file is not dstack's app-compose JSON: {wrong}",)) from error
        provider = manifest.key_provider or ("kms" if manifest.kms_enabled else "none")
        named = "local-sgx" if provider == "local" else provider
        return cls(text, manifest.name, manifest.no_instance_id, named, manifest.storage_fs or "zfs")

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """
        Read a compose file.

        Raises:
            ConfigurationError: it cannot be read, or is not what `from_text` takes.
        """
        try:
            with path.open("rb") as file:
                data = file.read(MAX_COMPOSE_BYTES + 1)
            return cls.from_text(data.decode())
        except OSError as error:
            raise ConfigurationError((f"the app-compose file {path} cannot be read: {error.strerror}; name another",)) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError((f"the app-compose file {path} is not UTF-8; write it anew as UTF-8",)) from error

    @property
    def sha256(self) -> bytes:
        """The compose hash, 32 bytes."""
        return hashlib.sha256(self.text.encode()).digest()
