import json

import dcap_qvl
import pytest

from oracle.errors import EvidenceRefused
from oracle.tee.collateral import Collateral, Part
from tests.unit.oracle.tee.samples import AT_S, sample_collateral, sample_collateral_text


def _changed(**members):
    return json.dumps(json.loads(sample_collateral_text("tdx")) | members)


def test_the_parts_of_real_collateral_have_their_dates_and_numbers():
    collateral = sample_collateral("tdx")
    assert collateral.parts == (
        Part("TCB info", 1750328163, 1752920163, 17),  # 2025-06-19T10:16:03Z to 2025-07-19T10:16:03Z
        Part("QE identity", 1750329147, 1752921147, 17),
        Part("root CRL", 1742469717, 1775215317, 1),  # `openssl crl -text`: Mar 20 11:21:57 2025, Apr 3 11:21:57 2026
        Part("PCK CRL", 1750327235, 1752919235, 1),
    )
    assert collateral.fmspc.hex() == "b0c06f000000"
    assert (collateral.issued_s, collateral.valid_until_s) == (1750327235, 1752919235)
    assert collateral.evaluation_data_number == 17


def test_its_json_is_dcap_qvls_and_the_same_content_has_the_same_hash():
    text = sample_collateral_text("tdx")
    collateral = Collateral.from_json(text)
    assert json.loads(collateral.to_json()) == json.loads(dcap_qvl.QuoteCollateralV3.from_json(text).to_json())
    spelled_otherwise = json.dumps(dict(reversed(json.loads(text).items())), indent=3)
    assert Collateral.from_json(spelled_otherwise) == collateral == Collateral.from_json(collateral.to_json())
    assert Collateral.from_json(_changed(a_member_of_later_versions=1)).sha256_hex == collateral.sha256_hex
    assert sample_collateral("sgx").sha256_hex != collateral.sha256_hex


def test_a_pck_chain_of_one_machine_can_be_left_out():
    with_chain = Collateral.from_json(_changed(pck_certificate_chain="a chain"))
    assert with_chain.pck_chain_pem == "a chain"
    assert with_chain != sample_collateral("tdx") == with_chain.without_pck_chain()


@pytest.mark.parametrize("name", sorted(json.loads(sample_collateral_text("tdx"))))
def test_no_part_may_be_missing(name):
    members = json.loads(sample_collateral_text("tdx"))
    del members[name]
    with pytest.raises(EvidenceRefused, match=name):
        Collateral.from_json(json.dumps(members))


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"pck_crl": "3x"}, "not hex"),
        ({"pck_crl": "00"}, "PCK CRL is no revocation list"),
        ({"root_ca_crl": ""}, "root CRL is no revocation list"),
        ({"tcb_info_issuer_chain": "no chain"}, "tcb_info_issuer_chain holds no certificates"),
        ({"tcb_info": "{}"}, "fmspc|issueDate"),
        ({"tcb_info": "[" * 60_000}, "nested deeper"),
        ({"tcb_info": '{"issueDate":"2025","issueDate":"2026"}'}, "twice"),
        ({"qe_identity": '{"issueDate":"yesterday","nextUpdate":"2025-07-19T10:16:03Z"}'}, "'yesterday' in the QE identity is no date"),
        ({"qe_identity": '{"issueDate":"2025-07-19T10:16:03","nextUpdate":"2025-07-19T10:16:03Z"}'}, "no date with a time zone"),
        ({"qe_identity": 7}, "qe_identity"),
        ({"pck_certificate_chain": 7}, "pck_certificate_chain"),
    ],
)
def test_a_part_that_cannot_be_read_is_refused_by_name(members, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        Collateral.from_json(_changed(**members))


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '"text"', "{" * 100_000, " " * 1_100_000, '{"a":1,"a":2}', '{"tcb_info":NaN}', "\ud800"]
)
def test_what_is_no_collateral_is_refused(text):
    with pytest.raises(EvidenceRefused):
        Collateral.from_json(text)


def test_collateral_with_an_older_part_is_told_from_newer():
    kept = sample_collateral("tdx")
    tcb_info = json.loads(json.loads(sample_collateral_text("tdx"))["tcb_info"])
    earlier = Collateral.from_json(_changed(tcb_info=json.dumps(tcb_info | {"issueDate": "2025-06-18T10:16:03Z"})))
    fewer = Collateral.from_json(_changed(tcb_info=json.dumps(tcb_info | {"tcbEvaluationDataNumber": 16})))
    assert kept.older_part_than(kept, AT_S) is None
    assert kept.older_part_than(earlier, AT_S) is None
    assert earlier.older_part_than(kept, AT_S) == "its TCB info was issued 2025-06-18T10:16:03Z, and one of 2025-06-19T10:16:03Z is known"
    assert fewer.older_part_than(kept, AT_S) == "its TCB info has number 16, and number 17 is known"
    assert fewer.evaluation_data_number == 16


def test_a_lower_edition_counts_as_older_while_the_higher_is_good_and_no_longer():
    kept = sample_collateral("tdx")
    tcb_info = json.loads(json.loads(sample_collateral_text("tdx"))["tcb_info"])
    lower = Collateral.from_json(_changed(tcb_info=json.dumps(tcb_info | {"tcbEvaluationDataNumber": 16})))
    assert lower.older_part_than(kept, kept.valid_until_s) is not None
    assert lower.older_part_than(kept, kept.valid_until_s + 1) is None
    earlier = Collateral.from_json(_changed(tcb_info=json.dumps(tcb_info | {"issueDate": "2025-06-18T10:16:03Z"})))
    assert earlier.older_part_than(kept, kept.valid_until_s + 1) is not None, "dates count for ever"
