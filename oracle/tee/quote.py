"""
Quotes as Intel's quoting enclaves write them: read strictly, believed by nobody yet.

TDX version 4 (TD report 1.0), TDX version 5 (TD report 1.0 or 1.5), SGX version 3. Every length is bounded before it is used, and every
byte belongs to a field: nothing may follow the signature data, nor the certification data inside it. Machines fill their buffer up with
zeros behind a quote; `read_quote` cuts those off where a quote comes in, so that one quote has one form.

Source: Intel TDX DCAP Quoting Library API, A.3; Intel SGX ECDSA QuoteLibReference DCAP API, A.4.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field

from oracle.errors import EvidenceRefused
from oracle.model import Measurements, QuoteKind, QuoteReport, SgxFields, TdxFields

MAX_QUOTE_BYTES = 32 * 1024
"""A quote with its PCK chain has about 5,000 bytes."""
REPORT_DATA_BYTES = 64
PCK_CHAIN = 5
"""Kind of certification data that carries the PCK certificate chain; others name the certificate only."""

_HEADER_BYTES = 48
_QE_REPORT = 6  # kind of certification data of version 4 and 5: the quoting enclave's report, then the real one
_ECDSA_P256 = 2
_TEE_TYPES = {0x00: QuoteKind.SGX, 0x81: QuoteKind.TDX}
_VERSIONS = {3: QuoteKind.SGX, 4: QuoteKind.TDX, 5: QuoteKind.TDX}
_TD_10, _TD_15, _ENCLAVE = 584, 648, 384
_V5_BODIES = {2: _TD_10, 3: _TD_15}
_HEX = re.compile(rb"(?:0x)?((?:[0-9a-fA-F]{2})+)")


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote taken apart."""

    report: QuoteReport
    raw: bytes = field(repr=False)
    signed_bytes: int
    """The first so many bytes of `raw` are what the attestation key signed."""
    certification_kind: int
    certification: bytes = field(repr=False)
    """The PCK chain as PEM, leaf first, where the kind is `PCK_CHAIN`."""

    @property
    def signed(self) -> bytes:
        """Header and report."""
        return self.raw[: self.signed_bytes]


class _Reader:
    """Bytes from left to right; what is missing is named."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._what, self.at = data, what, 0

    def take(self, size: int, name: str) -> bytes:
        left = len(self._data) - self.at
        if size > left:
            raise EvidenceRefused(f"the {self._what} ends early: {name} needs {size:,} bytes and {left:,} are left")
        self.at += size
        return self._data[self.at - size : self.at]

    def number(self, size: int, name: str) -> int:
        return int.from_bytes(self.take(size, name), "little")

    def sized(self, length_size: int, name: str) -> bytes:
        return self.take(self.number(length_size, f"the length of {name}"), name)

    def end(self) -> None:
        left = len(self._data) - self.at
        if left:
            raise EvidenceRefused(f"{left:,} bytes follow the {self._what}; none may")


def read_quote(given: str | bytes) -> bytes:
    """
    A quote's bytes from a file or field that holds it raw, as hex (with or without 0x) or as base64; zeros behind it are cut off.

    Raises:
        EvidenceRefused: none of the three, or too long.
    """
    return _without_padding(_decoded(given))


def parse_quote(raw: bytes) -> Quote:
    """
    Take a quote apart.

    Raises:
        EvidenceRefused: not one of the formats, cut short, or with bytes that belong to no field.
    """
    reader = _Reader(_bounded(raw), "quote")
    version, kind = _header(reader)
    body = reader.take(_body_bytes(reader, version, kind), "the report")
    signed_bytes = reader.at
    signature = _Reader(reader.sized(4, "the signature data"), "signature data")
    reader.end()
    certification_kind, certification = _certification(signature, version)
    report = _td_report(body, version) if kind is QuoteKind.TDX else _enclave_report(body, version)
    return Quote(report, raw, signed_bytes, certification_kind, certification)


def _decoded(given: str | bytes) -> bytes:
    data = given.encode("utf-8", "replace") if isinstance(given, str) else given
    if len(data) > 3 * MAX_QUOTE_BYTES:
        raise EvidenceRefused(f"the quote has {len(data):,} bytes; at most {MAX_QUOTE_BYTES:,} are read")
    if len(data) >= 2 and data[1] == 0 and data[0] in _VERSIONS:
        return _bounded(data)
    text = b"".join(data.split())
    if in_hex := _HEX.fullmatch(text):
        return _bounded(bytes.fromhex(in_hex[1].decode()))
    try:
        return _bounded(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise EvidenceRefused("the quote is neither raw (it would begin with its version: 3, 4 or 5), nor hex, nor base64") from error


def _without_padding(raw: bytes) -> bytes:
    """Sizes are those of a TDX quote of version 4 or 5 or an SGX quote; what cannot be measured is left to `parse_quote`."""
    reader = _Reader(raw, "quote")
    try:
        reader.take(_body_bytes(reader, *_header(reader)), "the report")
        reader.sized(4, "the signature data")
    except EvidenceRefused:
        return raw
    return raw[: reader.at] if not any(raw[reader.at :]) else raw


def _bounded(raw: bytes) -> bytes:
    if len(raw) > MAX_QUOTE_BYTES:
        raise EvidenceRefused(f"the quote has {len(raw):,} bytes; at most {MAX_QUOTE_BYTES:,} are read")
    return raw


def _header(reader: _Reader) -> tuple[int, QuoteKind]:
    header = _Reader(reader.take(_HEADER_BYTES, "the header"), "header")
    version, key_type, tee_type = header.number(2, "the version"), header.number(2, "the key type"), header.number(4, "the TEE type")
    if version not in _VERSIONS:
        raise EvidenceRefused(f"the quote says version {version}; 3 (SGX), 4 and 5 (TDX) are read")
    kind = _TEE_TYPES.get(tee_type)
    if kind is not _VERSIONS[version]:
        raise EvidenceRefused(f"the quote of version {version} says TEE type {tee_type:#x}; {_VERSIONS[version]} belongs to it")
    if key_type != _ECDSA_P256:
        raise EvidenceRefused(f"the quote says attestation key type {key_type}; {_ECDSA_P256} (ECDSA P-256) is verified")
    return version, kind


def _body_bytes(reader: _Reader, version: int, kind: QuoteKind) -> int:
    if kind is QuoteKind.SGX:
        return _ENCLAVE
    if version == 4:
        return _TD_10
    body_type, size = reader.number(2, "the type of the report"), reader.number(4, "the size of the report")
    if _V5_BODIES.get(body_type) != size:
        raise EvidenceRefused(f"the quote says a report of type {body_type} with {size:,} bytes; 2 (584 bytes) and 3 (648 bytes) are read")
    return size


def _certification(signature: _Reader, version: int) -> tuple[int, bytes]:
    """Walk through the signature data to its end; which certification data it carries."""
    signature.take(64, "the signature")
    signature.take(64, "the attestation key")
    if version != 3:
        outer = signature.number(2, "the kind of certification data")
        if outer != _QE_REPORT:
            raise EvidenceRefused(f"the quote says certification data of kind {outer}; {_QE_REPORT} belongs to version {version}")
        inner = _Reader(signature.sized(4, "the certification data"), "certification data")
        signature.end()
        signature = inner
    signature.take(_ENCLAVE, "the quoting enclave's report")
    signature.take(64, "the signature of the quoting enclave's report")
    signature.sized(2, "the authentication data")
    kind, data = signature.number(2, "the kind of certification data"), signature.sized(4, "the certification data")
    signature.end()
    return kind, data


def _td_report(body: bytes, version: int) -> QuoteReport:
    """Offsets: Intel TDX Module specification, TDREPORT, as the quote's body repeats it; 1.5 adds 64 bytes."""
    reader = _Reader(body, "TD report")
    tcb_svn = reader.take(16, "TEE_TCB_SVN")
    seam, seam_signer = reader.take(48, "MRSEAM"), reader.take(48, "MRSIGNERSEAM")
    seam_attributes, attributes, xfam = (reader.take(8, name) for name in ("SEAMATTRIBUTES", "TDATTRIBUTES", "XFAM"))
    mrtd, config, owner, owner_config = (reader.take(48, name) for name in ("MRTD", "MRCONFIGID", "MROWNER", "MROWNERCONFIG"))
    rtmr0, rtmr1, rtmr2, rtmr3 = (reader.take(48, f"RTMR{index}") for index in range(4))
    report_data = reader.take(REPORT_DATA_BYTES, "REPORTDATA")
    service = None
    if len(body) == _TD_15:
        reader.take(16, "TEE_TCB_SVN_2")
        service = reader.take(48, "MRSERVICETD")
    reader.end()
    return QuoteReport(
        kind=QuoteKind.TDX,
        version=version,
        report_data=report_data,
        debug=attributes[0] != 0,  # bits 0 to 7, TUD: each of them means that the TD is not to be trusted
        measurements=Measurements(mrtd, rtmr0, rtmr1, rtmr2, rtmr3),
        tdx=TdxFields(tcb_svn, seam, seam_signer, seam_attributes, attributes, xfam, config, owner, owner_config, service),
    )


def _enclave_report(body: bytes, version: int) -> QuoteReport:
    attributes = body[48:64]
    sgx = SgxFields(
        cpu_svn=body[0:16],
        attributes=attributes,
        mr_enclave=body[64:96],
        mr_signer=body[128:160],
        isv_prod_id=int.from_bytes(body[256:258], "little"),
        isv_svn=int.from_bytes(body[258:260], "little"),
    )
    debug = bool(attributes[0] & 0x02)  # SGX attributes: bit 1 is DEBUG
    return QuoteReport(kind=QuoteKind.SGX, version=version, report_data=body[320:384], debug=debug, sgx=sgx)
