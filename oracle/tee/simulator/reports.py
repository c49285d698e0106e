"""
Bodies of quotes: TD reports of TDX 1.0 and 1.5, SGX enclave reports.

Source: Intel TDX DCAP Quoting Library API, A.3.2 and A.3.3; Intel SGX ECDSA QuoteLibReference DCAP API, A.4.
"""

from dataclasses import dataclass

REPORT_DATA_BYTES = 64
_TD_10_BYTES, _TD_15_BYTES, _ENCLAVE_BYTES = 584, 648, 384
TD_ATTRIBUTES = bytes.fromhex("0000001000000000")
"""SEPT_VE_DISABLE alone, as a dstack machine has it."""
TD_ATTRIBUTES_DEBUG = bytes.fromhex("0100001000000000")
"""The host may read and change the machine's memory."""
SGX_ATTRIBUTES = bytes.fromhex("0500000000000000e700000000000000")
SGX_ATTRIBUTES_DEBUG = bytes.fromhex("0700000000000000e700000000000000")


@dataclass(frozen=True, slots=True)
class Measurements:
    """The five values that say which software runs, 48 bytes each."""

    mr_td: bytes
    rt_mr0: bytes
    rt_mr1: bytes
    rt_mr2: bytes
    rt_mr3: bytes


@dataclass(frozen=True, slots=True)
class TdReport:
    """What a TDX quote says of a machine; what its platform says of itself is `Seam`."""

    measurements: Measurements
    report_data: bytes
    td_attributes: bytes = TD_ATTRIBUTES
    xfam: bytes = bytes.fromhex("e702060000000000")
    mr_config_id: bytes = bytes(48)
    mr_owner: bytes = bytes(48)
    mr_owner_config: bytes = bytes(48)
    mr_service_td: bytes = bytes(48)
    """TDX 1.5 only."""


@dataclass(frozen=True, slots=True)
class EnclaveReport:
    """What an SGX report says of an enclave."""

    mr_enclave: bytes
    """32 bytes."""
    mr_signer: bytes
    """32 bytes."""
    report_data: bytes
    prod_id: int = 0
    svn: int = 0
    attributes: bytes = SGX_ATTRIBUTES
    misc_select: int = 0


@dataclass(frozen=True, slots=True)
class Seam:
    """The TDX module below a machine."""

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: bytes


def td_body_10(seam: Seam, report: TdReport) -> bytes:
    """
    584 bytes.

    Raises:
        ValueError: a field has another length than its place.
    """
    of = report.measurements
    return _whole(
        (
            seam.tee_tcb_svn,
            seam.mr_seam,
            seam.mr_signer_seam,
            seam.seam_attributes,
            report.td_attributes,
            report.xfam,
            of.mr_td,
            report.mr_config_id,
            report.mr_owner,
            report.mr_owner_config,
            of.rt_mr0,
            of.rt_mr1,
            of.rt_mr2,
            of.rt_mr3,
            report.report_data,
        ),
        _TD_10_BYTES,
    )


def td_body_15(seam: Seam, report: TdReport) -> bytes:
    """648 bytes: the body of 1.0, the module's SVN once more as it is loaded now, the service TD's measurement."""
    return _whole((td_body_10(seam, report), seam.tee_tcb_svn, report.mr_service_td), _TD_15_BYTES)


def enclave_body(cpu_svn: bytes, report: EnclaveReport) -> bytes:
    """384 bytes; raises as `td_body_10`."""
    return _whole(
        (
            cpu_svn,
            report.misc_select.to_bytes(4, "little"),
            bytes(28),
            report.attributes,
            report.mr_enclave,
            bytes(32),
            report.mr_signer,
            bytes(96),
            report.prod_id.to_bytes(2, "little"),
            report.svn.to_bytes(2, "little"),
            bytes(60),
            report.report_data,
        ),
        _ENCLAVE_BYTES,
    )


def _whole(fields: tuple[bytes, ...], size: int) -> bytes:
    body = b"".join(fields)
    if len(body) != size:
        raise ValueError(f"the body of a quote has {size} bytes, this one {len(body)}: a field is too short or too long")
    return body
