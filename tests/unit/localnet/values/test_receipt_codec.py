import pytest
from hypothesis import given
from hypothesis import strategies as st

from localnet.values.actions import FunctionCall, Transfer
from localnet.values.borsh import BorshError
from localnet.values.faults import ActionError, Fault
from localnet.values.hashes import CryptoHash
from localnet.values.keys import KeyPair
from localnet.values.outcome import Failure, Outcome, SuccessReceiptId, SuccessValue
from localnet.values.receipt import ActionReceipt, DataReceipt, DataReceiver
from localnet.values.receipt_codec import read_outcome, read_receipt, write_outcome, write_receipt

hashes = st.binary(min_size=32, max_size=32).map(CryptoHash)
names = st.text(max_size=10)
receipts = st.one_of(
    st.builds(
        ActionReceipt,
        hashes,
        names,
        names,
        names,
        st.just(KeyPair.from_seed("a").public_key),
        st.integers(0, 2**128 - 1),
        st.lists(st.builds(DataReceiver, hashes, names), max_size=3).map(tuple),
        st.lists(hashes, max_size=3).map(tuple),
        st.just((Transfer(5), FunctionCall("m", b"args", 1, 2))),
        hashes,
        st.booleans(),
        st.none() | names,
    ),
    st.builds(DataReceipt, hashes, names, names, hashes, st.none() | st.binary(max_size=20), hashes, st.booleans()),
)
statuses = st.one_of(
    st.builds(SuccessValue, st.binary(max_size=20)),
    st.builds(SuccessReceiptId, hashes),
    st.builds(
        Failure,
        st.builds(ActionError, st.none() | st.integers(0, 99), st.sampled_from([Fault("Bare"), Fault("Full", {"amount": "5", "n": 5})])),
    ),
)
outcomes = st.builds(
    Outcome,
    hashes,
    hashes,
    st.integers(0, 2**64 - 1),
    names,
    st.lists(names, max_size=3).map(tuple),
    st.lists(hashes, max_size=3).map(tuple),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**128 - 1),
    statuses,
)


@given(receipts)
def test_a_receipt_is_read_back(receipt):
    assert read_receipt(write_receipt(receipt)) == receipt


@given(outcomes)
def test_an_outcome_is_read_back(outcome):
    assert read_outcome(write_outcome(outcome)) == outcome


@given(receipts)
def test_a_receipt_that_is_cut_short_is_refused(receipt):
    with pytest.raises(BorshError):
        read_receipt(write_receipt(receipt)[:-1])
