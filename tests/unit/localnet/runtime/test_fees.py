"""Figures beside their sources: near-parameters.json (nearcore's own print) and NEAR_FACTS."""

import json
from importlib.resources import files

import pytest

from localnet import TGAS, KeyPair
from localnet.parameters import parameters
from localnet.runtime import account_actions, block, fees, transactions
from localnet.values.actions import (
    AccessKey,
    AddKey,
    CreateAccount,
    Delegate,
    DelegateAction,
    FunctionCall,
    FunctionCallPermission,
    Transfer,
)

FEES = fees.Fees(parameters())
NEARCORE = json.loads(files("localnet").joinpath("near-parameters.json").read_text())
KEY = KeyPair.from_seed("k").public_key


def test_the_constants_of_the_code_are_nearcore_s():
    assert str(fees.ACCOUNT_CREATION_CHARGE_YOCTO) == NEARCORE["account_creation_charge"]
    assert NEARCORE["account_creation_config"]["registrar_account_id"] == account_actions.REGISTRAR
    assert NEARCORE["account_creation_config"]["min_allowed_top_level_account_length"] == account_actions._SHORTEST_FREE_TOP_LEVEL
    assert NEARCORE["congestion_control_config"]["max_tx_gas"] == block.TRANSACTIONS_GAS_LIMIT
    assert NEARCORE["transaction_costs"]["burnt_gas_reward"][0] == 0
    assert NEARCORE["gas_refund_penalty"][0] == 0
    assert transactions.NONCES_A_BLOCK == 10**6


@pytest.mark.parametrize(
    ("action", "receiver", "gas"),
    [
        (Transfer(1), "bob.near", 115_123_062_500),
        (Transfer(1), "ab" * 32, 115_123_062_500 + 7_200_000_000_000 + 101_765_125_000),
        (Transfer(1), "0x" + "ab" * 20, 115_123_062_500 + 7_200_000_000_000),
        (FunctionCall("four", b"123456", TGAS, 0), "bob.near", 780_000_000_000 + 10 * 2_235_934),
        (CreateAccount(), "bob.near", 7_200_000_000_000),
        (
            AddKey(KEY, AccessKey(0, FunctionCallPermission(None, "c.near", ("ab", "c")))),
            "bob.near",
            102_217_625_000 + 5 * 1_925_331,
        ),
    ],
)
def test_execution_costs_what_the_table_says(action, receiver, gas):
    assert FEES.execution(action, receiver) == gas


def test_sending_to_oneself_is_cheaper_by_the_byte():
    call = FunctionCall("four", b"123456", TGAS, 0)
    assert FEES.send([call], "a.near", sir=True) == 200_000_000_000 + 10 * 2_235_934
    assert FEES.send([call], "a.near", sir=False) == 200_000_000_000 + 10 * 47_683_715


def test_a_meta_transaction_pays_for_what_it_wraps():
    inner = DelegateAction("a.near", "b.near", (FunctionCall("m", b"", 5 * TGAS, 7), Transfer(3)), 1, 1, KEY)
    wrapped = [Delegate(inner, bytes(64))]
    sending = 200_000_000_000 + 47_683_715 + 115_123_062_500
    assert FEES.prepaid_send(wrapped) == sending
    assert FEES.send(wrapped, "a.near", sir=False) == 200_000_000_000 + sending
    assert fees.attached_gas(wrapped) == 5 * TGAS
    assert fees.total_deposit(wrapped) == 10
    executing = 200_000_000_000 + 108_059_500_000 + 780_000_000_000 + 2_235_934 + 115_123_062_500
    assert FEES.prepaid_execution(wrapped, "a.near") == executing


def test_300_tgas_lock_three_tenths_of_a_near():
    cost = fees.transaction_cost(FEES, (FunctionCall("m", b"", 300 * TGAS, 0),), signer_id="a.near", receiver_id="b.near")
    assert 0.3 * 10**24 < cost.total_yocto < 0.302 * 10**24
    assert cost.receipt_gas_price_yocto == 10**9
