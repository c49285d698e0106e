"""The real sample quote under Intel's root: it verifies at its own time and no other, and registers nobody."""

import pytest

from localnet import NEAR, TGAS, ViewFailed
from tests.acceptance.contract.register.register_stage import NO_SETTINGS, WORKER, RegisterStage
from tests.acceptance.contract.register.samples import (
    AFTER_S,
    BEFORE_S,
    SGX_COLLATERAL,
    SGX_QUOTE,
    TDX_COLLATERAL,
    TDX_FILE,
    TDX_FMSPC,
    TDX_QUOTE,
    WITHIN_S,
)

MEASUREMENTS = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
# Bytes of a TD report in a quote of version 4 (Intel TDX DCAP Quoting Library API, A.3.2).
OFFSETS = (184, 376, 424, 472, 520)


@pytest.fixture(scope="module")
def intel():
    return RegisterStage(start_s=WITHIN_S, root_hex=None)


def test_the_sample_verifies_on_the_chain_at_its_own_time(intel):
    verdict = intel.view("verify_quote", tdx_quote_hex=TDX_QUOTE.hex(), collateral=TDX_COLLATERAL)
    assert verdict == {
        "tcb_status": "UpToDate",
        "advisory_ids": [],
        "fmspc": TDX_FMSPC,
        "measurements": {name: TDX_QUOTE[at : at + 48].hex() for name, at in zip(MEASUREMENTS, OFFSETS, strict=True)},
        "measurements_approved": False,
        "report_data": TDX_QUOTE[568:632].hex(),
        "policy_refusal": None,
    }


def test_the_sample_brings_its_collateral_onto_the_chain(intel):
    args = {"quote": TDX_QUOTE.hex(), "collateral": TDX_COLLATERAL}
    intel.call("alice", "refresh_collateral", args, deposit=NEAR)
    assert intel.contract_gas["refresh_collateral"] < 200 * TGAS
    assert intel.view("get_collateral", fmspc=TDX_FMSPC) == TDX_COLLATERAL
    assert intel.view("verify_quote", tdx_quote_hex=TDX_QUOTE.hex())["tcb_status"] == "UpToDate"


@pytest.mark.parametrize(("start_s", "why"), [(BEFORE_S, "it is not valid yet"), (AFTER_S, "expired at")])
def test_the_sample_does_not_verify_at_another_time(start_s, why):
    stage = RegisterStage(start_s=start_s, root_hex=None)
    args = {"quote": TDX_QUOTE.hex(), "collateral": TDX_COLLATERAL}
    assert why in stage.refused("alice", "refresh_collateral", args, deposit=NEAR)


def test_the_sample_registers_nobody_because_its_report_data_binds_nothing_of_ours(intel):
    measurements = {name: TDX_QUOTE[at : at + 48].hex() for name, at in zip(MEASUREMENTS, OFFSETS, strict=True)}
    intel.call("owner", "add_approved_measurements", {"measurements": measurements}, deposit=NEAR)
    intel.call("owner", "update_collateral", {"collateral": TDX_COLLATERAL}, deposit=NEAR)
    assert intel.view("verify_quote", tdx_quote_hex=TDX_QUOTE.hex())["measurements_approved"] is True
    args = {"public_key": str(WORKER.public_key), "seen_block_time": str(intel.now_ns), "settings_sha256_hex": NO_SETTINGS.hex()}
    for method, quote in [
        ("register_worker_key", {"tdx_quote_hex": TDX_QUOTE.hex()}),
        ("register_worker", {"tdx_quote": TDX_QUOTE.hex(), "collateral": TDX_COLLATERAL}),
    ]:
        assert "the quote was made for another key" in intel.refused("init", method, args | quote, deposit=NEAR)
    assert intel.key_on_account() is None


def test_collateral_of_another_platform_is_refused_by_its_fmspc(intel):
    args = {"quote": TDX_QUOTE.hex(), "collateral": SGX_COLLATERAL}
    assert f"FMSPC {TDX_FMSPC}, and the collateral is for 00a067110000" in intel.refused("alice", "refresh_collateral", args, deposit=NEAR)


def test_parts_of_two_collaterals_do_not_mix(intel):
    mixed = TDX_COLLATERAL | {"pck_crl": SGX_COLLATERAL["pck_crl"], "pck_crl_issuer_chain": SGX_COLLATERAL["pck_crl_issuer_chain"]}
    stage = RegisterStage(start_s=WITHIN_S, root_hex=None)
    assert "does not verify" in stage.refused("alice", "refresh_collateral", {"quote": TDX_QUOTE.hex(), "collateral": mixed}, deposit=NEAR)
    mixed = TDX_COLLATERAL | {name: SGX_COLLATERAL[name] for name in ("qe_identity", "qe_identity_signature")}
    assert "does not verify" in stage.refused("alice", "refresh_collateral", {"quote": TDX_QUOTE.hex(), "collateral": mixed}, deposit=NEAR)


def test_the_real_sgx_quote_is_refused(intel):
    with pytest.raises(ViewFailed, match=r"of TEE type 0, and only TDX \(129\) registers"):
        intel.view("verify_quote", tdx_quote_hex=SGX_QUOTE.hex(), collateral=SGX_COLLATERAL)


def test_a_test_root_refuses_the_real_quote():
    stage = RegisterStage(start_s=WITHIN_S)
    args = {"quote": TDX_QUOTE.hex(), "collateral": TDX_COLLATERAL}
    assert "does not verify" in stage.refused("alice", "refresh_collateral", args, deposit=NEAR)


# The issuer chain of the PCK list is not among them: the CA in the quote's own chain is what the list is verified with.
VERIFIED = sorted(set(TDX_COLLATERAL) - {"pck_crl_issuer_chain"})


@pytest.mark.parametrize("part", VERIFIED)
def test_collateral_with_a_character_changed_is_refused(intel, part):
    text = TDX_COLLATERAL[part]
    at = len(text) // 4  # in a chain, within the leaf: the root that comes with it is not what is trusted
    changed = TDX_COLLATERAL | {part: text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]}
    intel.refused("alice", "refresh_collateral", {"quote": TDX_QUOTE.hex(), "collateral": changed}, deposit=NEAR)


def test_the_zeros_behind_the_sample_are_no_part_of_the_quote(intel):
    with pytest.raises(ViewFailed, match="70 bytes trail after the quote"):
        intel.view("verify_quote", tdx_quote_hex=TDX_FILE.hex(), collateral=TDX_COLLATERAL)
