"""
What a machine says of its software, and what a verifier found of it.

A report is what a quote carries, true or not; a `VerifiedQuote` is one whose signatures led to a root. Neither says whether the software is
wanted: that is a policy's to judge.
"""

from dataclasses import dataclass
from enum import StrEnum


class QuoteKind(StrEnum):
    """Which kind of enclave a quote speaks for."""

    TDX = "TDX"
    SGX = "SGX"


@dataclass(frozen=True, slots=True)
class Measurements:
    """The registers that tell which software a TDX machine runs, each SHA-384 (48 bytes): firmware, then what was booted and started."""

    mrtd: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes

    def __post_init__(self) -> None:
        for name, value in zip(MEASUREMENT_NAMES, self.registers(), strict=True):
            if len(value) != MEASUREMENT_BYTES:
                raise ValueError(f"{name} has {len(value)} bytes; a measurement has {MEASUREMENT_BYTES}")

    def registers(self) -> tuple[bytes, ...]:
        """In the order of `MEASUREMENT_NAMES`."""
        return (self.mrtd, self.rtmr0, self.rtmr1, self.rtmr2, self.rtmr3)

    def hex_fields(self) -> dict[str, str]:
        """Name to 96 hex digits, the arguments of the register contract's `add_approved_measurements`."""
        return {name: value.hex() for name, value in zip(MEASUREMENT_NAMES, self.registers(), strict=True)}


MEASUREMENT_BYTES = 48
MEASUREMENT_NAMES = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")


@dataclass(frozen=True, slots=True)
class TdxFields:
    """
    What a TD report says beside its measurements, as it stands there.

    Names that begin with `mr_` have 48 bytes, `tee_tcb_svn` 16, attributes and `xfam` 8 (bit sets, little-endian). `mr_service_td` is of
    TDX 1.5 reports; None where the report is of 1.0.
    """

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: bytes
    td_attributes: bytes
    xfam: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    mr_service_td: bytes | None = None


@dataclass(frozen=True, slots=True)
class SgxFields:
    """What an SGX enclave report says; `mr_enclave` and `mr_signer` are 32 bytes, `cpu_svn` and `attributes` 16."""

    cpu_svn: bytes
    attributes: bytes
    mr_enclave: bytes
    mr_signer: bytes
    isv_prod_id: int
    isv_svn: int


@dataclass(frozen=True, slots=True)
class QuoteReport:
    """
    What a quote says, read and not yet believed.

    `report_data`: 64 bytes the quoted software chose. `measurements` and `tdx` are None in a quote of SGX, `sgx` is None in one of TDX.
    `debug`: its memory can be read from outside, so that it proves nothing.
    """

    kind: QuoteKind
    version: int
    report_data: bytes
    debug: bool
    measurements: Measurements | None = None
    tdx: TdxFields | None = None
    sgx: SgxFields | None = None


@dataclass(frozen=True, slots=True)
class Tcb:
    """
    How well the platform's own software is kept, in Intel's words.

    `status`: `UpToDate`, `SWHardeningNeeded`, `ConfigurationNeeded`, `ConfigurationAndSWHardeningNeeded`, `OutOfDate`,
    `OutOfDateConfigurationNeeded`. `fmspc`: 6 bytes, the family of the platform. `evaluation_data_number`: the lower one of TCB info and QE
    identity, Intel's count of TCB recoveries.
    """

    status: str
    advisory_ids: tuple[str, ...]
    fmspc: bytes
    evaluation_data_number: int


@dataclass(frozen=True, slots=True)
class VerifiedQuote:
    """
    A quote whose signatures led to a trusted root at the moment asked about.

    `collateral_issued_s`: Unix time at which the oldest of its monthly parts was issued (the root's revocation list is yearly and does not
    count); `valid_until_s`: the last moment at which all parts and certificates are good. `test_root`: the root is not Intel's, so that it
    proves nothing about a real machine.
    """

    report: QuoteReport
    tcb: Tcb
    root_sha256_hex: str
    test_root: bool
    collateral_issued_s: int
    valid_until_s: int
    collateral_sha256_hex: str


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """
    Which application a dstack machine started, from an event log that replays to its RTMR3; lower-case hex.

    `app_id` and `instance_id` have 40 digits, `compose_hash` and `os_image_hash` 64. `instance_id` is empty where the compose file sets
    `no_instance_id`; `os_image_hash` is None in logs of dstack before 0.5. `key_provider_name` is `kms`, `local-sgx`, `tpm`, `none`, or
    empty where the log does not tell; `key_provider_id` is what tells providers of a name apart, empty for some.
    """

    app_id: str
    compose_hash: str
    instance_id: str
    os_image_hash: str | None
    key_provider_name: str
    key_provider_id: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a dstack socket answers when asked for a quote: the quote's bytes and the event log's text, neither believed."""

    quote: bytes
    event_log: str
