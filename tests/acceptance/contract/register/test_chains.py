"""
Certificate chains that come with collateral hold the signer and the root, and nothing else: what the contract keeps must serve those who
read it more strictly than it verifies, or a stranger could spoil it for them.
"""

import json

import pytest

from localnet import NEAR
from oracle.tee.collateral import Collateral
from oracle.tee.simulator.keys import Secrets
from tests.acceptance.contract.register.register_stage import RegisterStage, pki_of
from tests.acceptance.contract.register.samples import TDX_COLLATERAL, TDX_QUOTE, WITHIN_S

CHAINS = ("pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain")
END = "-----END CERTIFICATE-----\n"
STRANGER = pki_of(secrets=Secrets.from_text("a stranger")).pck_ca.pem
OTHER_BLOCK = "-----BEGIN NOTE-----\nbm90ZQ==\n-----END NOTE-----\n"


def refresh(stage, quote, collateral):
    args = {"quote": quote, "collateral": collateral}
    return stage.account("alice").call("worker.test.near", "refresh_collateral", args, deposit_yocto=NEAR, gas=300 * 10**12)


def spoilt(chain):
    """What nobody may bring in the place of a chain."""
    signer, root = (text + END for text in chain.split(END)[:2])
    return {
        "nothing": "",
        "no certificates": "garbage",
        "a certificate that trails along": chain + STRANGER,
        "another one between": signer + STRANGER + root,
        "a stranger's in the root's place": signer + STRANGER,
        "the root alone, twice": root + root,
        "a block that is none": chain + OTHER_BLOCK,
        "the end cut off": chain[:-40],
    }


@pytest.mark.parametrize("part", CHAINS)
def test_a_chain_of_more_or_less_than_signer_and_root_is_refused_by_its_part(register, part):
    good = register.collateral()
    for what, chain in spoilt(good[part]).items():
        why = str(refresh(register, register.quote(), good | {part: chain}).failure)
        assert f"{part} of the collateral is not exactly" in why or "does not verify" in why, (what, why)
        args = register.registration()
        args |= {"tdx_quote": args.pop("tdx_quote_hex"), "collateral": good | {part: chain}}
        register.refused("init", "register_worker", args, deposit=NEAR)


def test_the_lists_issuer_is_the_ca_of_the_quote(register):
    chain = register.collateral()["pck_crl_issuer_chain"]
    stranger = STRANGER + END.join(chain.split(END)[1:])
    refused = refresh(register, register.quote(), register.collateral() | {"pck_crl_issuer_chain": stranger})
    assert "pck_crl_issuer_chain of the collateral is not exactly" in str(refused.failure)


@pytest.mark.parametrize("part", CHAINS)
def test_a_chain_may_come_without_the_root(register, part):
    good = register.collateral()
    alone = good | {part: good[part].split(END)[0] + END}
    refresh(register, register.quote(), alone).raise_for_failure()
    assert register.register()


@pytest.mark.parametrize("part", CHAINS)
def test_what_a_stranger_may_store_can_be_read_by_a_worker(register, part):
    """Text around the certificates is nobody's; readers pass it over as the contract does."""
    good = register.collateral()
    refresh(register, register.quote(), good | {part: f"text before\n{good[part]}text behind\n"}).raise_for_failure()
    kept = Collateral.from_json(json.dumps(register.view("get_collateral", fmspc="7e57c0de0000")))
    assert kept.valid_until_s == Collateral.from_json(json.dumps(good)).valid_until_s


def test_intels_own_chains_are_taken():
    stage = RegisterStage(start_s=WITHIN_S, root_hex=None)
    refresh(stage, TDX_QUOTE.hex(), TDX_COLLATERAL).raise_for_failure()
