"""
What Intel says of its platforms, signed and dated, without which no quote can be judged: TCB info, QE identity, two revocation lists.

Written as dcap-qvl writes it (`QuoteCollateralV3`): bytes as hex, the signed documents as the exact text that was signed. Read once, here,
into a value whose dates and numbers are known; the signatures are checked with a quote (`oracle.tee.verify`).
"""

import datetime as dt
import hashlib
from dataclasses import dataclass, field

from oracle.errors import EvidenceRefused
from oracle.tee.canonical import canonical_bytes
from oracle.tee.certificates import last_second_of, number_of_list, read_list
from oracle.tee.members import Members, hex_of, number_of, read_members, text_of

MAX_COLLATERAL_BYTES = 1024 * 1024
"""Samples have 16 KiB; revocation lists grow."""

_TEXTS = ("pck_crl_issuer_chain", "tcb_info_issuer_chain", "tcb_info", "qe_identity_issuer_chain", "qe_identity")
_BYTES = ("root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LISTS = (2, 3)
"""Places of the revocation lists among a collateral's parts."""
_CHAINS = ("pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain")


@dataclass(frozen=True, slots=True)
class Part:
    """
    One dated part: `TCB info`, `QE identity`, `root CRL` or `PCK CRL`.

    Unix times, both still good. `number`: `tcbEvaluationDataNumber`, or the number of a revocation list, which never goes back.
    """

    name: str
    issued_s: int
    valid_until_s: int
    number: int


@dataclass(frozen=True, slots=True)
class Collateral:
    """Collateral of one kind of platform."""

    parts: tuple[Part, Part, Part, Part]
    """TCB info, QE identity, root CRL, PCK CRL."""
    chains_valid_until_s: int
    """When the first certificate of its issuers' chains ends."""
    fmspc: bytes
    sha256_hex: str
    """Of `to_json()`."""
    pck_chain_pem: str | None = field(repr=False)
    """Only where a quote does not carry the chain itself."""
    _json: str = field(repr=False)

    @classmethod
    def from_json(cls, text: str) -> "Collateral":
        """
        Read dcap-qvl's JSON; members that it does not name are dropped.

        Raises:
            EvidenceRefused: it lacks a part, or one cannot be read.
        """
        members = read_members(text, "the collateral", max_bytes=MAX_COLLATERAL_BYTES)
        kept: Members = {name: text_of(members, name, "the collateral") for name in _TEXTS}
        kept |= {name: hex_of(members, name, "the collateral").hex() for name in _BYTES}
        chain = None if members.get("pck_certificate_chain") is None else text_of(members, "pck_certificate_chain", "the collateral")
        if chain is not None:
            kept["pck_certificate_chain"] = chain
        return _read(kept, chain)

    def to_json(self) -> str:
        """The same JSON in its canonical form (RFC 8785)."""
        return self._json

    def members(self) -> Members:
        """Its members as dcap-qvl names them."""
        return read_members(self._json, "the collateral", max_bytes=2 * MAX_COLLATERAL_BYTES)

    def without_pck_chain(self) -> "Collateral":
        """What holds for every machine of the kind."""
        if self.pck_chain_pem is None:
            return self
        members = self.members()
        del members["pck_certificate_chain"]
        return _read(members, None)

    @property
    def issued_s(self) -> int:
        """When the oldest of TCB info, QE identity and PCK CRL was issued; those are monthly, and the root's list is yearly."""
        tcb_info, identity, _, pck_crl = self.parts
        return min(part.issued_s for part in (tcb_info, identity, pck_crl))

    @property
    def valid_until_s(self) -> int:
        """The last second at which all its parts and chains are good."""
        return min(self.chains_valid_until_s, *(part.valid_until_s for part in self.parts))

    @property
    def evaluation_data_number(self) -> int:
        """The lower one of TCB info and QE identity."""
        return min(part.number for part in self.parts[:2])

    def older_part_than(self, kept: "Collateral", at_s: int) -> str | None:
        """
        A sentence on the first part that is older than the same part of `kept`; None: nothing is rolled back.

        The numbers of TCB info and QE identity count while `kept` is good (`at_s`, Unix time): Intel signs a lower edition beside a higher
        one, so that who has once heard of the higher is not shut out of the lower for ever. Dates and lists count for ever.
        """
        for place, (mine, theirs) in enumerate(zip(self.parts, kept.parts, strict=True)):
            if mine.issued_s < theirs.issued_s:
                return f"its {mine.name} was issued {moment(mine.issued_s)}, and one of {moment(theirs.issued_s)} is known"
            counts = place in _LISTS or at_s <= kept.valid_until_s
            if counts and mine.number < theirs.number:
                return f"its {mine.name} has number {mine.number}, and number {theirs.number} is known"
        return None


def check_dates(collateral: Collateral, at_s: int) -> None:
    """
    Compare every part's dates with a moment, Unix time.

    Raises:
        EvidenceRefused: a part is from the future or has expired.
    """
    for part in collateral.parts:
        if at_s < part.issued_s:
            raise EvidenceRefused(f"the {part.name} is from the future: issued {moment(part.issued_s)}, asked about {moment(at_s)}")
        if at_s > part.valid_until_s:
            raise EvidenceRefused(f"the {part.name} has expired: good until {moment(part.valid_until_s)}, asked about {moment(at_s)}")


def moment(seconds: int) -> str:
    """A Unix time as people read it."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(members: Members, chain: str | None) -> Collateral:
    tcb_info = read_members(text_of(members, "tcb_info", "the collateral"), "the TCB info", max_bytes=MAX_COLLATERAL_BYTES)
    identity = read_members(text_of(members, "qe_identity", "the collateral"), "the QE identity", max_bytes=MAX_COLLATERAL_BYTES)
    canonical = canonical_bytes(members)
    return Collateral(
        parts=(
            _document("TCB info", tcb_info),
            _document("QE identity", identity),
            _list("root CRL", hex_of(members, "root_ca_crl", "the collateral")),
            _list("PCK CRL", hex_of(members, "pck_crl", "the collateral")),
        ),
        chains_valid_until_s=min(last_second_of(text_of(members, name, "the collateral").encode(), name) for name in _CHAINS),
        fmspc=hex_of(tcb_info, "fmspc", "the TCB info", size=6),
        sha256_hex=hashlib.sha256(canonical).hexdigest(),
        pck_chain_pem=chain,
        _json=canonical.decode(),
    )


def _document(name: str, members: Members) -> Part:
    what = f"the {name}"
    issued_s, until_s = (_time(text_of(members, key, what), what) for key in ("issueDate", "nextUpdate"))
    return Part(name, issued_s, until_s, number_of(members, "tcbEvaluationDataNumber", what))


def _time(text: str, what: str) -> int:
    """RFC 3339 with a zone."""
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise EvidenceRefused(f"{text[:40]!r} in {what} is no date") from error
    if when.tzinfo is None or when.year < 1970:
        raise EvidenceRefused(f"{text[:40]!r} in {what} is no date with a time zone after 1970")
    return int((when - _EPOCH).total_seconds())


def _list(name: str, der: bytes) -> Part:
    found = read_list(der, name)
    issued, until = found.last_update_utc, found.next_update_utc
    assert until is not None  # read_list refuses such a list
    return Part(name, int(issued.timestamp()), int(until.timestamp()), number_of_list(found, name))
