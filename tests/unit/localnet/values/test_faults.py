import pytest

from localnet.values.errors import InvalidTransaction
from localnet.values.faults import ActionError, Fault, fault_from_json


def test_a_fault_without_facts_is_its_bare_name():
    assert Fault("Expired").to_json() == "Expired"


def test_an_invalid_nonce_has_the_shape_that_clients_match():
    error = InvalidTransaction(Fault("InvalidNonce", {"tx_nonce": 1, "ak_nonce": 2}))
    assert error.to_json() == {"InvalidTxError": {"InvalidNonce": {"tx_nonce": 1, "ak_nonce": 2}}}


def test_a_failed_action_has_nearcores_shape():
    error = ActionError(0, Fault("FunctionCallError", {"ExecutionError": "Smart contract panicked: no"}))
    assert error.to_json() == {
        "ActionError": {"index": 0, "kind": {"FunctionCallError": {"ExecutionError": "Smart contract panicked: no"}}}
    }


def test_a_fault_is_read_back():
    for fault in (Fault("Expired"), Fault("A", {"b": 1})):
        assert fault_from_json(fault.to_json()) == fault


@pytest.mark.parametrize("value", [None, 5, [], {}, {"a": 1, "b": 2}])
def test_what_is_no_fault_is_refused(value):
    with pytest.raises(ValueError, match="not a fault"):
        fault_from_json(value)
