"""
A quote to what it proves: signatures up to the trusted root, at a moment that is handed in.

dcap-qvl does the cryptography and Intel's rules (certificate chains, revocation, QE identity, TCB level). What it leaves open is checked
here: exact bytes, debug machines, revocation lists from the future, whose PCK chain counts. The status of the platform and its measurements
are judged by a policy (`oracle.tee.policy`), never here.
"""

import dcap_qvl

from oracle.errors import EvidenceRefused
from oracle.model import Tcb, VerifiedQuote
from oracle.tee.certificates import last_second_of
from oracle.tee.collateral import Collateral, check_dates
from oracle.tee.quote import PCK_CHAIN, Quote, parse_quote
from oracle.tee.root import Root

LAST_MOMENT_S = 2**33
"""In the year 2242; later moments are refused, so that no date overflows."""


def verify_quote(raw: bytes, collateral: Collateral, at_s: int, root: Root) -> VerifiedQuote:
    """
    Check a quote.

    `raw` is as `read_quote` gives it, `collateral` of the quote's kind of platform. `at_s`: the moment at which certificates and collateral
    have to be good, Unix time. `root`: what is trusted.

    Raises:
        EvidenceRefused: anything does not hold; the sentence says what.
    """
    if not 0 <= at_s <= LAST_MOMENT_S:
        raise EvidenceRefused(f"the moment {at_s} lies outside 1970 to 2242")
    quote = parse_quote(raw)
    if quote.report.debug:
        raise EvidenceRefused("the quote is of a machine in debug mode, whose memory its host can read; it proves nothing")
    chain = _pck_chain(quote, collateral)
    check_dates(collateral, at_s)
    used = collateral.without_pck_chain() if quote.certification_kind == PCK_CHAIN else collateral
    status, advisories = _dcap_verify(raw, used, at_s, root)
    return VerifiedQuote(
        report=quote.report,
        tcb=Tcb(status, advisories, collateral.fmspc, collateral.evaluation_data_number),
        root_sha256_hex=root.sha256_hex,
        test_root=root.is_test,
        collateral_issued_s=collateral.issued_s,
        valid_until_s=min(collateral.valid_until_s, last_second_of(chain, "PCK chain")),
        collateral_sha256_hex=collateral.sha256_hex,
    )


def platform_of(quote: Quote) -> tuple[bytes, str]:
    """
    Which collateral a quote needs: its FMSPC (6 bytes) and the PCK authority (`platform` or `processor`).

    Raises:
        EvidenceRefused: the quote does not carry its PCK chain, or one that cannot be read.
    """
    if quote.certification_kind != PCK_CHAIN:
        raise EvidenceRefused(
            f"the quote carries certification data of kind {quote.certification_kind}; kind {PCK_CHAIN}, the PCK chain, names the platform"
        )
    try:
        parsed = dcap_qvl.Quote.parse(quote.raw)
        return bytes.fromhex(parsed.fmspc()), str(parsed.ca())
    except ValueError as error:
        raise EvidenceRefused(f"the quote's PCK certificate cannot be read: {error}") from error


def _pck_chain(quote: Quote, collateral: Collateral) -> bytes:
    """A quote's own chain is the one that counts; only where it has none may the collateral bring it."""
    if quote.certification_kind == PCK_CHAIN:
        return quote.certification.rstrip(b"\0")
    if collateral.pck_chain_pem is None:
        raise EvidenceRefused(
            f"neither the quote (certification data of kind {quote.certification_kind}) nor the collateral has the PCK chain"
        )
    return collateral.pck_chain_pem.encode()


def _dcap_verify(raw: bytes, collateral: Collateral, at_s: int, root: Root) -> tuple[str, tuple[str, ...]]:
    try:
        read = dcap_qvl.QuoteCollateralV3.from_json(collateral.to_json())
        report = dcap_qvl.verify_with_root_ca(raw, read, root.der, at_s)
    except ValueError as error:
        raise EvidenceRefused(f"the quote does not verify: {_reason(error)}") from error
    except BaseException as error:
        # A panic of the Rust library comes as an exception outside Exception; evidence of strangers must not end the process.
        if type(error).__name__ != "PanicException":
            raise
        raise EvidenceRefused("the quote does not verify: the verifier gave up on it") from error
    return str(report.status), tuple(str(advisory) for advisory in report.advisory_ids)


def _reason(error: ValueError) -> str:
    return str(error).removeprefix("Verification failed: ")[:300]
