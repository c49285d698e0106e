"""
The file of a policy: TOML, every key known, every value of its form; all problems are told at once.

What is left out has the default. `examples/tee/policy.toml` shows every key.
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oracle.errors import ConfigurationError
from oracle.tee.policy import ANY, AcceptedMeasurements, Policy

MAX_FILE_BYTES = 256 * 1024
MAX_ENTRIES = 1_000
STATUSES = (
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
)
"""Intel's words for what a platform may be; `Revoked` never verifies."""

_ADVISORY = re.compile(r"INTEL-SA-[0-9]{5}|\*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA384 = re.compile(r"[0-9a-f]{96}")
_PROVIDER = re.compile(r"[a-z0-9-]{1,32}(:[0-9A-Za-z._-]{1,4096})?")
_REGISTERS = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")


def read_policy(path: Path) -> Policy:
    """
    Read a policy.

    Raises:
        ConfigurationError: one line for each problem.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            (f"TEE_POLICY_FILE: {path} cannot be read ({error.strerror}); unset it for the default policy.",)
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigurationError((f"TEE_POLICY_FILE: {path} has more than {MAX_FILE_BYTES:,} bytes; make it smaller.",))
    try:
        content = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise ConfigurationError((f"TEE_POLICY_FILE: {path} is no TOML: {str(error)[:200]}.",)) from error
    reader = _Reader(content)
    policy = reader.policy()
    if reader.problems:
        raise ConfigurationError(tuple(f"TEE_POLICY_FILE: {path}: {problem}" for problem in reader.problems))
    return policy


class _Reader:
    """Takes known keys out of the tables; what is left over, or of another form, is a problem."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._left = content
        self.problems: list[str] = []

    def policy(self) -> Policy:
        default = Policy.DEFAULT
        tcb, collateral, app, chain = (self._table(name) for name in ("tcb", "collateral", "app", "chain"))
        least = self._number(collateral, "min_evaluation_data_number", 2**32 - 1) or 0
        most = self._number(collateral, "max_evaluation_data_number", 2**32 - 1)
        if most is not None and most < least:
            self.problems.append(f"collateral.max_evaluation_data_number is {most}, less than the minimum {least}; nothing could pass.")
        age = self._number(collateral, "max_age_days", 3_650)
        statuses = self._list(tcb, "statuses", lambda text: text in STATUSES, f"one of {', '.join(STATUSES)}")
        advisories = self._list(tcb, "advisories", _ADVISORY.fullmatch, 'INTEL-SA- and five digits, or "*" for any', may_be_empty=True)
        hash_form = "64 hex digits in lower case"
        policy = Policy(
            tcb_statuses=default.tcb_statuses if statuses is None else statuses,
            advisories=default.advisories if advisories is None else advisories,
            max_age_days=default.max_age_days if age is None else age,
            min_evaluation_data_number=least,
            max_evaluation_data_number=most,
            measurements=self._measurements(),
            compose_hashes=self._list(app, "compose_hashes", _SHA256.fullmatch, hash_form) or (),
            os_image_hashes=self._list(app, "os_image_hashes", _SHA256.fullmatch, hash_form) or (),
            key_providers=self._list(app, "key_providers", _PROVIDER.fullmatch, 'a name such as "kms", or "kms:ID"') or (),
            two_nodes=self._boolean(chain, "two_nodes", default=default.two_nodes),
        )
        self._nothing_left()
        return policy

    def _table(self, name: str) -> dict[str, Any]:
        table = self._left.get(name, {})
        if not isinstance(table, dict):
            self.problems.append(f"{name} is no table; write [{name}] on a line of its own.")
            del self._left[name]
            return {}
        self._left[name] = _Named(name, table)
        return self._left[name]  # type: ignore[no-any-return]

    def _nothing_left(self) -> None:
        for name, left in self._left.items():
            if not isinstance(left, _Named):
                self.problems.append(f"{name} is no part of a policy; tcb, collateral, measurements, app and chain are.")
            else:
                self.problems += [f"{name}.{key} is no rule that is known; look at examples/tee/policy.toml." for key in left]

    def _list(
        self, table: dict[str, Any], key: str, fits: Callable[[str], object], form: str, *, may_be_empty: bool = False
    ) -> tuple[str, ...] | None:
        """None: left out."""
        if key not in table:
            return None
        value, name = table.pop(key), f"{_name_of(table)}.{key}"
        if not isinstance(value, list) or len(value) > MAX_ENTRIES:
            self.problems.append(f"{name} is no list of at most {MAX_ENTRIES:,} texts.")
            return None
        if not value and not may_be_empty:
            self.problems.append(f"{name} is empty and would accept nothing; leave it out to accept anything that fits the other rules.")
        wrong = [entry for entry in value if not (isinstance(entry, str) and fits(entry))]
        self.problems += [f"{name} holds {entry!r:.80}; each has to be {form}." for entry in wrong]
        if ANY in value and len(value) > 1:
            self.problems.append(f'{name} holds "*", which is any, and others; write ["*"].')
        return tuple(entry for entry in value if entry not in wrong)

    def _number(self, table: dict[str, Any], key: str, most: int) -> int | None:
        if key not in table:
            return None
        value = table.pop(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            self.problems.append(f"{_name_of(table)}.{key} is {value!r:.40}; it has to be a whole number from 0 to {most:,}.")
            return None
        return value

    def _boolean(self, table: dict[str, Any], key: str, *, default: bool) -> bool:
        value = table.pop(key, default)
        if not isinstance(value, bool):
            self.problems.append(f"{_name_of(table)}.{key} is {value!r:.40}; it has to be true or false.")
            return default
        return value

    def _measurements(self) -> tuple[AcceptedMeasurements, ...]:
        entries = self._left.pop("measurements", [])
        if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
            self.problems.append(f"measurements is no list of at most {MAX_ENTRIES:,}; write [[measurements]] above each entry.")
            return ()
        accepted = (self._accepted(entry, f"measurements[{index}]") for index, entry in enumerate(entries))
        return tuple(one for one in accepted if one is not None)

    def _accepted(self, entry: object, name: str) -> AcceptedMeasurements | None:
        if not isinstance(entry, dict):
            self.problems.append(f"{name} is no table; write [[measurements]] above it.")
            return None
        before = len(self.problems)
        self.problems += [f"{name}.{key} is no register; {', '.join(_REGISTERS)} are." for key in entry if key not in _REGISTERS]
        self.problems += [f"{name} lacks {key}; only rtmr3 may be left out." for key in _REGISTERS[:4] if key not in entry]
        self.problems += [
            f"{name}.{key} is {entry[key]!r:.40}; it has to be 96 hex digits in lower case."
            for key in _REGISTERS
            if key in entry and not (isinstance(entry[key], str) and _SHA384.fullmatch(entry[key]))
        ]
        if len(self.problems) > before:
            return None
        return AcceptedMeasurements(entry["mrtd"], entry["rtmr0"], entry["rtmr1"], entry["rtmr2"], entry.get("rtmr3"))


class _Named(dict[str, Any]):
    """A table that knows its name."""

    def __init__(self, name: str, table: dict[str, Any]) -> None:
        super().__init__(table)
        self.name = name


def _name_of(table: dict[str, Any]) -> str:
    return table.name if isinstance(table, _Named) else "the file"
