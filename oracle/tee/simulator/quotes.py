"""
Quotes: TDX v4 (TDX 1.0 body) and v5 (1.5 body), SGX v3, signed as a quoting enclave signs them.

The attestation key is certified once: its hash is in the quoting enclave's report, and the PCK key signs that report. A quote then costs
one ECDSA signature. Nothing follows the certification data.

Source: Intel TDX DCAP Quoting Library API, A.3; Intel SGX ECDSA QuoteLibReference DCAP API, A.4.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from oracle.tee.simulator.hardware import QuotingEnclave, Tee
from oracle.tee.simulator.keys import Secrets, SigningKey
from oracle.tee.simulator.pki import Pki
from oracle.tee.simulator.reports import EnclaveReport, Seam, TdReport, enclave_body, td_body_10, td_body_15

_VENDOR_ID = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
"""Intel's."""
_AUTH_DATA = bytes(range(32))
"""As Intel's quoting enclaves write it."""
_ECDSA_P256 = 2
_TEE_TYPE = {Tee.SGX: 0x00, Tee.TDX: 0x81}
_BODY_TD_15 = 3
_PCK_CHAIN, _QE_REPORT = 5, 6
"""Kinds of certification data."""


class TdQuoteVersion(IntEnum):
    """Quote formats that carry a TD report."""

    V4 = 4
    """With a body of TDX 1.0."""
    V5 = 5
    """With a body of TDX 1.5."""


@dataclass(frozen=True, slots=True)
class _Certified:
    """An attestation key, and all that follows a quote's signature."""

    key: SigningKey
    qe_id: bytes
    certification: bytes
    """QE report, its signature, authentication data, PCK chain."""


class Quoter:
    """Signs quotes of one platform."""

    def __init__(self, secrets: Secrets, pki: Pki) -> None:
        platform = pki.platform
        self._seam = Seam(platform.tee_tcb_svn, platform.mr_seam, platform.mr_signer_seam, platform.seam_attributes)
        self._cpu_svn, self._pce_svn, self._sgx_qe_svn = platform.cpu_svn, platform.pce_svn, platform.sgx_qe.svn
        self._certified = {tee: _certify(secrets, pki, platform.quoting_enclave(tee)) for tee in Tee}

    def td_quote(self, report: TdReport, version: TdQuoteVersion = TdQuoteVersion.V4) -> bytes:
        """A TDX quote."""
        certified = self._certified[Tee.TDX]
        header = _header(version, Tee.TDX, 0, 0, certified.qe_id)
        if version is TdQuoteVersion.V4:
            signed = header + td_body_10(self._seam, report)
        else:
            body = td_body_15(self._seam, report)
            signed = header + _BODY_TD_15.to_bytes(2, "little") + _sized(body)
        return signed + _sized(_signature(certified, signed) + _QE_REPORT.to_bytes(2, "little") + _sized(certified.certification))

    def sgx_quote(self, report: EnclaveReport) -> bytes:
        """An SGX quote, version 3."""
        certified = self._certified[Tee.SGX]
        signed = _header(3, Tee.SGX, self._sgx_qe_svn, self._pce_svn, certified.qe_id) + enclave_body(self._cpu_svn, report)
        return signed + _sized(_signature(certified, signed) + certified.certification)


def _certify(secrets: Secrets, pki: Pki, enclave: QuotingEnclave) -> _Certified:
    key = secrets.p256_key_for(f"attestation key of {enclave.identity}")
    binding = hashlib.sha256(key.public_bytes + _AUTH_DATA).digest()
    report = EnclaveReport(
        mr_enclave=hashlib.sha256(f"simulated {enclave.identity}".encode()).digest(),
        mr_signer=enclave.mr_signer,
        report_data=binding + bytes(32),
        prod_id=enclave.prod_id,
        svn=enclave.svn,
        attributes=enclave.attributes,
        misc_select=enclave.misc_select,
    )
    body = enclave_body(pki.platform.cpu_svn, report)
    auth_data = len(_AUTH_DATA).to_bytes(2, "little") + _AUTH_DATA
    chain = _PCK_CHAIN.to_bytes(2, "little") + _sized(pki.pck_chain_pem.encode())
    return _Certified(key, secrets.bytes_for(f"id of {enclave.identity}", 16), body + pki.pck.key.sign(body) + auth_data + chain)


def _header(version: int, tee: Tee, qe_svn: int, pce_svn: int, qe_id: bytes) -> bytes:
    """48 bytes; the SVNs are reserved, zero, from version 4 on."""
    numbers = ((version, 2), (_ECDSA_P256, 2), (_TEE_TYPE[tee], 4), (qe_svn, 2), (pce_svn, 2))
    return b"".join(number.to_bytes(size, "little") for number, size in numbers) + _VENDOR_ID + qe_id + bytes(4)


def _signature(certified: _Certified, signed: bytes) -> bytes:
    return certified.key.sign(signed) + certified.key.public_bytes


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data
