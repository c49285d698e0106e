"""The guest's environment, name by name (PROTOCOL, "What a guest sees")."""

from hypothesis import given
from hypothesis import strategies as st

from oracle.model import Origin, YoctoNear
from oracle.model.environment import RESERVED_NAMES, guest_environment
from oracle.testing.chain import request

ORIGIN = Origin("tx", "receipt", 42, 7, "ed25519:k", 5)


def environment(asked, origin=ORIGIN):
    return dict(guest_environment(asked, origin, contract_id="outlayer.near", network_id="testnet"))


def test_every_name_has_its_value():
    asked = request(3, payment=YoctoNear(9), attached_usd="12", project_id="bob.near/a/b", project_uuid="u")
    assert environment(asked) == {
        "NEAR_SENDER_ID": "alice.test.near",
        "NEAR_USER_ACCOUNT_ID": "alice.test.near",
        "NEAR_PREDECESSOR_ID": "client.test.near",
        "NEAR_CONTRACT_ID": "outlayer.near",
        "NEAR_NETWORK_ID": "testnet",
        "NEAR_REQUEST_ID": "3",
        "NEAR_TRANSACTION_HASH": "tx",
        "NEAR_RECEIPT_ID": "receipt",
        "NEAR_BLOCK_HEIGHT": "42",
        "NEAR_BLOCK_TIMESTAMP": "7",
        "NEAR_SIGNER_PUBLIC_KEY": "ed25519:k",
        "NEAR_GAS_BURNT": "5",
        "NEAR_PAYMENT_YOCTO": "9",
        "NEAR_MAX_INSTRUCTIONS": "1000000000",
        "NEAR_MAX_MEMORY_MB": "128",
        "NEAR_MAX_EXECUTION_SECONDS": "60",
        "ATTACHED_USD": "12",
        "USD_PAYMENT": "0",
        "OUTLAYER_EXECUTION_TYPE": "NEAR",
        "OUTLAYER_PROJECT_ID": "bob.near/a/b",
        "OUTLAYER_PROJECT_OWNER": "bob.near",
        "OUTLAYER_PROJECT_NAME": "a/b",
        "OUTLAYER_PROJECT_UUID": "u",
        "OUTLAYER_CALL_ID": "",
    }


def test_what_is_not_known_is_an_empty_string():
    found = environment(request(3), Origin())
    unknown = {name for name, value in found.items() if value == ""}
    assert {"NEAR_TRANSACTION_HASH", "NEAR_RECEIPT_ID", "NEAR_BLOCK_HEIGHT", "NEAR_GAS_BURNT", "OUTLAYER_PROJECT_ID"} <= unknown
    assert found["ATTACHED_USD"] == "0"


@given(st.text(), st.text())
def test_no_value_holds_a_nul_and_no_name_is_left_out(project_id, project_uuid):
    found = guest_environment(request(3, project_id=project_id, project_uuid=project_uuid), ORIGIN, contract_id="c", network_id="n")
    assert tuple(name for name, _ in found) == RESERVED_NAMES
    assert not any("\0" in value for _, value in found)
