"""
dstack's app-compose JSON: which compose text a machine starts, and under what conditions. Its SHA-256 is the compose hash.

Source: `AppCompose` in dstack's dstack-types; the form of the text (sorted keys, no spaces, UTF-8) in its docs/normalized-app-compose.md.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from phala.refused import Refused
from phala.template import SECRETS, Filled, read_text

APP_ID_BYTES = 20
MAX_NAME_CHARS = 63
STORAGE_FS = "zfs"
"""dstack's own default, written out because it is measured."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """An app-compose JSON: its very text, and what is read of it."""

    text: str
    fields: dict[str, Any]

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """
        Read one.

        Raises:
            Refused: it cannot be read, or is no JSON object with the fields that every app has.
        """
        text = read_text(path)
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Refused(f"{path} is no JSON: {str(error)[:200]}") from error
        if not isinstance(fields, dict) or "runner" not in fields:
            raise Refused(f"{path} is no app-compose JSON: wanted: an object with runner, name, docker_compose_file, …")
        return cls(text, fields)

    @property
    def compose_hash(self) -> bytes:
        """32 bytes, of the text as it is: the same fields with another space are another app."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def default_app_id(self) -> bytes:
        """20 bytes: the app id of a machine that was not given another one."""
        return self.compose_hash[:APP_ID_BYTES]

    @property
    def no_instance_id(self) -> bool:
        """Whether all machines of the app measure the same."""
        return self.fields.get("no_instance_id") is True

    @property
    def key_provider(self) -> str:
        """Who gives the machine its keys, in the words of the event log: `kms`, `local-sgx`, `tpm` or `none`."""
        if given := self.fields.get("key_provider"):
            return "local-sgx" if given == "local" else str(given)
        if self.fields.get("kms_enabled") is True:
            return "kms"
        return "local-sgx" if self.fields.get("local_key_provider_enabled") is True else "none"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is chosen of a new app, beside its compose text."""

    name: str
    no_instance_id: bool = True
    public_logs: bool = True
    gateway: bool = True


def make(compose: Filled, terms: Terms) -> Manifest:
    """
    The manifest of a compose text, in dstack's normal form. Nothing runs before the containers: there is no pre-launch or init script.

    Raises:
        Refused: the name is empty, too long or has other characters than letters, digits and hyphens.
    """
    if not (0 < len(terms.name) <= MAX_NAME_CHARS and terms.name.replace("-", "").isalnum() and terms.name.isascii()):
        raise Refused(f"--name {terms.name[:80]!r}: wanted: 1 to {MAX_NAME_CHARS} letters, digits and hyphens")
    fields: dict[str, Any] = {
        "allowed_envs": list(compose.secrets),
        "docker_compose_file": compose.text,
        "gateway_enabled": terms.gateway,
        "key_provider": "kms",
        "key_provider_id": "",
        "kms_enabled": True,
        "local_key_provider_enabled": False,
        "manifest_version": 2,
        "name": terms.name,
        "no_instance_id": terms.no_instance_id,
        "public_logs": terms.public_logs,
        "public_sysinfo": True,
        "public_tcbinfo": True,
        "runner": "docker-compose",
        "secure_time": True,
        "storage_fs": STORAGE_FS,
    }
    return Manifest(normal_form(fields), fields)


def normal_form(fields: dict[str, Any]) -> str:
    """Sorted keys, no spaces, characters as they are."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def differences(manifest: Manifest, compose_text: str) -> list[str]:
    """What else than the compose text a machine of the manifest would start, or let in; empty when nothing."""
    fields = manifest.fields
    found = []
    if fields.get("runner") != "docker-compose":
        found.append(f"runner is {str(fields.get('runner'))[:40]!r}, expected 'docker-compose'")
    if fields.get("docker_compose_file") != compose_text:
        found.append("docker_compose_file is another text than the compose file")
    found += [
        f"{name} is set: it runs as root beside the worker (Phala's CLI leaves its own out with --no-pre-launch-script)"
        for name in ("pre_launch_script", "init_script", "bash_script")
        if fields.get(name)
    ]
    allowed = fields.get("allowed_envs") or []
    more = sorted({str(name)[:60] for name in allowed} - SECRETS) if isinstance(allowed, list) else ["(no list)"]
    if more:
        found.append(f"allowed_envs lets in {', '.join(more)}, expected only {', '.join(sorted(SECRETS))}")
    return found
