"""
Collateral of the simulated platform: what a verifier needs beside a quote, signed by the test PKI.

Every bad case is a value of `CollateralTerms`; what no terms can say (parts of two collaterals mixed, a byte changed) is said with
`dataclasses.replace` on the result.
"""

import json
from dataclasses import dataclass, replace
from enum import StrEnum

import dcap_qvl

from oracle.tee.simulator.hardware import Tee
from oracle.tee.simulator.pki import Pki, Signer, revocation_list
from oracle.tee.simulator.tcb import EVALUATION_DATA_NUMBER, UP_TO_DATE, TcbLevels, Verdict, levels_for, qe_identity, tcb_info
from oracle.tee.simulator.window import Window


class Revocable(StrEnum):
    """Certificates that the revocation lists can name."""

    PCK = "pck"
    PCK_CA = "pck-ca"
    TCB_SIGNER = "tcb-signer"


@dataclass(frozen=True, slots=True)
class CollateralTerms:
    """What the collateral says. A window that is None starts an hour before `now` and lasts 30 days."""

    verdict: Verdict = UP_TO_DATE
    """Of a platform with this platform's SVNs."""
    levels: TcbLevels | None = None
    """All levels; None makes them from the verdict."""
    fmspc: bytes | None = None
    """6 bytes; None is the platform's."""
    evaluation_number: int = EVALUATION_DATA_NUMBER
    tcb_info_valid: Window | None = None
    qe_identity_valid: Window | None = None
    crl_valid: Window | None = None
    """Of both revocation lists."""
    revoked: frozenset[Revocable] = frozenset()


USUAL_TERMS = CollateralTerms()
"""Valid now, and the platform is up to date."""


@dataclass(frozen=True, slots=True)
class Collateral:
    """The nine parts of DCAP's `sgx_ql_qve_collateral_t`, version 3, in the names and encodings of dcap-qvl."""

    pck_crl_issuer_chain: str
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info_issuer_chain: str
    tcb_info: str
    tcb_info_signature: bytes
    qe_identity_issuer_chain: str
    qe_identity: str
    qe_identity_signature: bytes

    def as_dcap(self) -> dcap_qvl.QuoteCollateralV3:
        """For `dcap_qvl.verify_with_root_ca`."""
        return dcap_qvl.QuoteCollateralV3(
            self.pck_crl_issuer_chain,
            self.root_ca_crl,
            self.pck_crl,
            self.tcb_info_issuer_chain,
            self.tcb_info,
            self.tcb_info_signature,
            self.qe_identity_issuer_chain,
            self.qe_identity,
            self.qe_identity_signature,
        )

    def as_json(self) -> str:
        """dcap-qvl's JSON: bytes as hex, documents as strings."""
        parts = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({name: part.hex() if isinstance(part, bytes) else part for name, part in parts.items()})


def make_collateral(pki: Pki, tee: Tee, now_s: int, terms: CollateralTerms = USUAL_TERMS) -> Collateral:
    """Collateral as a service would hand it out at `now_s`."""
    platform, usual = pki.platform, Window.around(now_s)
    levels = levels_for(platform, tee, terms.verdict) if terms.levels is None else terms.levels
    number = terms.evaluation_number
    described = platform if terms.fmspc is None else replace(platform, fmspc=terms.fmspc)
    info = tcb_info(tee, described, levels, terms.tcb_info_valid or usual, number)
    identity = qe_identity(platform.quoting_enclave(tee), levels, terms.qe_identity_valid or usual, number)
    root_crl, pck_crl = _revocation_lists(pki, terms.revoked, terms.crl_valid or usual)
    return Collateral(
        pck_crl_issuer_chain=pki.pck_ca.pem + pki.root.pem,
        root_ca_crl=root_crl,
        pck_crl=pck_crl,
        tcb_info_issuer_chain=pki.tcb_signer_chain_pem,
        tcb_info=info.decode(),
        tcb_info_signature=pki.tcb_signer.key.sign(info),
        qe_identity_issuer_chain=pki.tcb_signer_chain_pem,
        qe_identity=identity.decode(),
        qe_identity_signature=pki.tcb_signer.key.sign(identity),
    )


def _revocation_lists(pki: Pki, revoked: frozenset[Revocable], valid: Window) -> tuple[bytes, bytes]:
    """The root's list and the PCK CA's; each names what its signer issued."""
    below_root: dict[Revocable, Signer] = {Revocable.PCK_CA: pki.pck_ca, Revocable.TCB_SIGNER: pki.tcb_signer}
    by_root = tuple(signer for kind, signer in below_root.items() if kind in revoked)
    by_ca = (pki.pck,) if Revocable.PCK in revoked else ()
    return revocation_list(pki.root, by_root, valid), revocation_list(pki.pck_ca, by_ca, valid)
