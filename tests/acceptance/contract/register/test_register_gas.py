"""
What each path with a quote burns: under 200 Tgas with a quote and collateral of Intel's size, so that a call with 300 Tgas does it.

The figures are those of the contract's own receipts in a chain that counts gas as nearcore does, without the nodes of the storage trie.
A change of the contract changes them: the failing test says the new ones.
"""

from dataclasses import dataclass

import pytest

from localnet import NEAR, TGAS, KeyPair
from oracle.tee.simulator.collateral import USUAL_TERMS, CollateralTerms
from oracle.tee.simulator.pki import Signer, revocation_list
from oracle.tee.simulator.window import Window
from tests.acceptance.contract.register.register_stage import APPROVED, DAY_S, REGISTER, WORKER, RegisterStage, hex_of, pki_of
from tests.acceptance.contract.register.samples import TDX_COLLATERAL, TDX_QUOTE, WITHIN_S

LIMIT = 200 * TGAS
DEAREST = "register_worker, newer collateral, five expired"
GAS_TGAS = {
    "verify_quote, real": 124.5,
    "refresh_collateral, real": 127.7,
    "verify_quote, simulated": 123.7,
    "register_worker, new collateral": 128.5,
    "on_key_added": 2.7,
    "register_worker_key, renewed": 126.9,
    "register_worker, another edition": 127.0,
    DEAREST: 136.5,
    "register_worker, a list as long as is taken": 139.6,
}
MAX_LIST_BYTES = 65_536 // 2
"""A part may have 65,536 hex digits (contracts/register, `MAX_PART_BYTES`)."""
REVOKED = 610
"""As many as fit, with their date and reason."""


@pytest.fixture(scope="module")
def burnt():
    """Gas of each path that verifies a quote, by what was done."""
    return measured_with_the_real_sample() | measured_with_simulated_quotes() | measured_with_a_long_list()


def measured_with_the_real_sample():
    stage = RegisterStage(start_s=WITHIN_S, root_hex=None)
    args = {"tdx_quote_hex": TDX_QUOTE.hex(), "collateral": TDX_COLLATERAL}
    verified = stage.chain.view(REGISTER, "verify_quote", args).gas_burnt
    stage.call("alice", "refresh_collateral", {"quote": TDX_QUOTE.hex(), "collateral": TDX_COLLATERAL}, deposit=NEAR)
    return {"verify_quote, real": verified, "refresh_collateral, real": stage.contract_gas["refresh_collateral"]}


def measured_with_simulated_quotes():
    stage, gas = RegisterStage(), {}
    stage.call("owner", "add_approved_measurements", hex_of(APPROVED), deposit=NEAR)
    args = {"tdx_quote_hex": stage.quote(), "collateral": stage.collateral()}
    gas["verify_quote, simulated"] = stage.chain.view(REGISTER, "verify_quote", args).gas_burnt
    gas["register_worker, new collateral"] = register_with_collateral(stage, WORKER)
    gas["on_key_added"] = stage.contract_gas["on_key_added"]
    stage.later(1)
    stage.register()
    gas["register_worker_key, renewed"] = stage.contract_gas["register_worker_key"]
    gas["register_worker, another edition"] = register_with_collateral(
        stage, KeyPair.from_seed("early"), CollateralTerms(evaluation_number=18)
    )
    for n in range(8):
        stage.register(KeyPair.from_seed(f"worker {n}"))
    stage.later(31 * DAY_S)
    gas[DEAREST] = register_with_collateral(stage, KeyPair.from_seed("the next"))
    assert len(stage.events["worker_expired"]) == 5
    return gas


def measured_with_a_long_list():
    """Hundreds of revoked platforms; the list is hashed, read and searched, and kept."""
    stage = RegisterStage()
    stage.call("owner", "add_approved_measurements", hex_of(APPROVED), deposit=NEAR)
    pck_crl = long_list(stage)
    assert 0.99 * MAX_LIST_BYTES < len(pck_crl) <= MAX_LIST_BYTES
    return {"register_worker, a list as long as is taken": register_with_collateral(stage, WORKER, pck_crl=pck_crl)}


def long_list(stage):
    """The PCK CA's."""
    ca = pki_of().pck_ca
    revoked = (Stranger(2**158 + number) for number in range(REVOKED))  # serial numbers of 20 bytes, as Intel's
    return revocation_list(ca, tuple(Signer(each, ca.key) for each in revoked), Window.around(stage.now_s))


@dataclass(frozen=True)
class Stranger:
    """Of a certificate that is revoked, a list needs no more."""

    serial_number: int


def register_with_collateral(stage, key, terms=USUAL_TERMS, **changes):
    args = stage.registration(key)
    args |= {"tdx_quote": args.pop("tdx_quote_hex"), "collateral": stage.collateral(terms, **changes)}
    stage.call("init", "register_worker", args, deposit=NEAR)
    return stage.contract_gas["register_worker"]


def test_every_path_with_a_quote_burns_less_than_200_tgas(burnt):
    assert max(burnt.values()) < LIMIT
    gas = {what: round(figure / TGAS, 1) for what, figure in burnt.items()}
    assert gas == pytest.approx(GAS_TGAS, abs=1.0), f"the gas has changed, it is now: {gas}"


def test_the_dearest_registration_with_the_real_sample_would_fit_too(burnt):
    """Nobody can make a registration for it, so what a registration does beside verifying is added to its verification."""
    beside = burnt[DEAREST] - burnt["verify_quote, simulated"]
    assert burnt["verify_quote, real"] + beside < LIMIT
