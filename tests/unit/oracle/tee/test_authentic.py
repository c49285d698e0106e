import json

import pytest

from oracle.errors import EvidenceRefused
from oracle.model import QuoteKind
from oracle.tee.authentic import check_authentic, check_is_for
from oracle.tee.collateral import Collateral
from oracle.tee.root import INTEL, Root
from oracle.tee.simulator import (
    CollateralTerms,
    Platform,
    Revocable,
    Secrets,
    Simulator,
    SimulatorOptions,
    Tee,
    Window,
    make_collateral,
    make_pki,
)
from tests.unit.oracle.tee.samples import AT_S, sample_collateral, sample_collateral_text

DAY_S = 86_400


@pytest.fixture(scope="module")
def simulator():
    return Simulator(SimulatorOptions(seed="authentic", clock=lambda: AT_S))


@pytest.fixture(scope="module")
def root(simulator):
    return Root(simulator.root_der)


def changed(kind, **members):
    return Collateral.from_json(json.dumps(json.loads(sample_collateral_text(kind)) | members))


@pytest.mark.parametrize("kind", ["tdx", "sgx"])
def test_real_collateral_is_authentic_under_intels_root_and_no_other(kind, root):
    check_authentic(sample_collateral(kind), INTEL, AT_S)
    with pytest.raises(EvidenceRefused, match="not signed by its authority; another root than Intel's is trusted"):
        check_authentic(sample_collateral(kind), root, AT_S)


def test_simulated_collateral_is_authentic_under_the_test_root_alone(simulator, root):
    collateral = Collateral.from_json(simulator.collateral().as_json())
    check_authentic(collateral, root, AT_S)
    with pytest.raises(EvidenceRefused, match=r"not signed by its authority; Intel's root is trusted: .* TEE_ROOT_CA"):
        check_authentic(collateral, INTEL, AT_S)


@pytest.mark.parametrize("name", ["tcb_info", "qe_identity", "tcb_info_signature", "qe_identity_signature"])
def test_a_document_with_another_signature_is_refused(name):
    mixed = changed("tdx", **{name: json.loads(sample_collateral_text("sgx"))[name]})
    with pytest.raises(EvidenceRefused, match="does not have its signer's signature"):
        check_authentic(mixed, INTEL, AT_S)


@pytest.mark.parametrize("name", ["root_ca_crl", "pck_crl"])
def test_a_revocation_list_with_any_byte_changed_is_refused(name):
    der = bytes.fromhex(json.loads(sample_collateral_text("tdx"))[name])
    for at in range(0, len(der), len(der) // 150):  # two milliseconds each
        with pytest.raises(EvidenceRefused):
            check_authentic(changed("tdx", **{name: (der[:at] + bytes([der[at] ^ 0x20]) + der[at + 1 :]).hex()}), INTEL, AT_S)


def test_a_list_of_another_authority_is_refused():
    other = json.loads(sample_collateral_text("sgx"))
    with pytest.raises(EvidenceRefused, match=r"pck_crl is not signed by its authority$"):
        check_authentic(changed("tdx", pck_crl=other["pck_crl"]), INTEL, AT_S)


@pytest.mark.parametrize("name", ["tcb_info_issuer_chain", "qe_identity_issuer_chain", "pck_crl_issuer_chain"])
def test_a_chain_of_another_root_is_refused(simulator, name):
    with pytest.raises(EvidenceRefused, match=f"{name} does not lead to the trusted root"):
        check_authentic(changed("tdx", **{name: getattr(simulator.collateral(), name)}), INTEL, AT_S)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (CollateralTerms(revoked=frozenset({Revocable.TCB_SIGNER})), "the root has revoked"),
        (CollateralTerms(revoked=frozenset({Revocable.PCK_CA})), "the root has revoked"),
        (CollateralTerms(tcb_info_valid=Window(AT_S - 40 * DAY_S, AT_S - 10 * DAY_S)), "TCB info has expired"),
        (CollateralTerms(crl_valid=Window(AT_S + 10, AT_S + DAY_S)), "CRL is from the future"),
    ],
)
def test_collateral_that_is_revoked_or_out_of_date_is_refused(simulator, root, terms, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        check_authentic(Collateral.from_json(simulator.collateral(terms=terms).as_json()), root, AT_S)


def test_a_signer_whose_certificate_has_ended_is_refused():
    pki = make_pki(Secrets.from_text("ended"), Platform(), Window(AT_S - 10 * DAY_S, AT_S - DAY_S))
    collateral = Collateral.from_json(make_collateral(pki, Tee.TDX, AT_S).as_json())
    with pytest.raises(EvidenceRefused, match="tcb_info_issuer_chain begins with a certificate that is not valid"):
        check_authentic(collateral, Root(pki.root_der), AT_S)


def test_a_revoked_machine_makes_no_collateral_unauthentic(simulator, root):
    terms = CollateralTerms(revoked=frozenset({Revocable.PCK}))
    check_authentic(Collateral.from_json(simulator.collateral(terms=terms).as_json()), root, AT_S)


@pytest.mark.parametrize(
    ("kind", "fmspc", "authority", "reason"),
    [
        (QuoteKind.TDX, "b0c06f000001", "platform", "FMSPC b0c06f000000; b0c06f000001 was asked for"),
        (QuoteKind.SGX, "b0c06f000000", "platform", "tcb_info is of 'TDX'; 'SGX' was asked for"),
        (QuoteKind.TDX, "b0c06f000000", "processor", "not of the processor authority"),
    ],
)
def test_collateral_for_something_else_is_told(kind, fmspc, authority, reason):
    check_is_for(sample_collateral("tdx"), QuoteKind.TDX, bytes.fromhex("b0c06f000000"), "platform")
    with pytest.raises(EvidenceRefused, match=reason):
        check_is_for(sample_collateral("tdx"), kind, bytes.fromhex(fmspc), authority)
