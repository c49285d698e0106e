"""
What the simulated hardware is: the platform that a PCK certificate speaks of, and the quoting enclave.

The figures follow a real platform with TDX 1.0 module 1.5 (the shape of the sample quotes), so the default collateral calls it UpToDate.
A test makes every other platform with `dataclasses.replace`.

Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification 1.5, 1.3.5; Intel TDX DCAP Quoting Library API, A.3.
"""

from dataclasses import dataclass
from enum import StrEnum

FMSPC = bytes.fromhex("7e57c0de0000")
"""Of no real platform, so collateral of a real one can never be taken for ours."""


class PckCa(StrEnum):
    """Which intermediate CA signs PCK certificates: for platforms with several packages, or with one."""

    PLATFORM = "platform"
    PROCESSOR = "processor"


class Tee(StrEnum):
    """What is quoted; also the path of its collateral at a PCCS."""

    TDX = "tdx"
    SGX = "sgx"


@dataclass(frozen=True, slots=True)
class QuotingEnclave:
    """The enclave that signs quotes (TD_QE) or its SGX twin (QE)."""

    identity: str
    """`id` of its identity document."""
    mr_signer: bytes
    prod_id: int
    svn: int
    attributes: bytes = bytes.fromhex("1500000000000000e700000000000000")
    misc_select: int = 0


TD_QE = QuotingEnclave("TD_QE", bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5"), prod_id=2, svn=4)
"""As in the sample TDX quote."""
SGX_QE = QuotingEnclave("QE", bytes.fromhex("8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff"), prod_id=1, svn=10)
"""As in the sample SGX quote."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One machine."""

    fmspc: bytes = FMSPC
    """6 bytes: family, model, stepping, platform type, custom SKU."""
    cpu_svn: bytes = bytes.fromhex("03030202040100050000000000000000")
    """16 bytes, one a component; compared with `sgxtcbcomponents`."""
    pce_svn: int = 13
    pce_id: bytes = bytes(2)
    tee_tcb_svn: bytes = bytes.fromhex("06010300000000000000000000000000")
    """16 bytes: SVN and major version of the TDX module, SEAM loader, reserved."""
    mr_seam: bytes = bytes.fromhex("5b38e33a6487958b72c3c12a938eaa5e3fd4510c51aeeab58c7d5ecee41d7c436489d6c8e4f92f160b7cad34207b00c1")
    mr_signer_seam: bytes = bytes(48)
    seam_attributes: bytes = bytes(8)
    pck_ca: PckCa = PckCa.PLATFORM
    td_qe: QuotingEnclave = TD_QE
    sgx_qe: QuotingEnclave = SGX_QE

    def __post_init__(self) -> None:
        sizes = {"fmspc": 6, "cpu_svn": 16, "pce_id": 2, "tee_tcb_svn": 16, "mr_seam": 48, "mr_signer_seam": 48, "seam_attributes": 8}
        for name, size in sizes.items():
            if len(getattr(self, name)) != size:
                raise ValueError(f"a platform's {name} has {size} bytes, not {len(getattr(self, name))}")

    def quoting_enclave(self, tee: Tee) -> QuotingEnclave:
        """Who signs quotes of this kind."""
        return self.td_qe if tee is Tee.TDX else self.sgx_qe
