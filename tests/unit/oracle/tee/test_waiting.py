"""Which receipts wait for a quote, whatever comes in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from oracle.model.receipt import ReceiptQuote
from oracle.tee.waiting import MAX_WAITING, MAX_WAITING_BYTES, Late, Waiting

QUOTE = ReceiptQuote(b"quote", "log")


def late(number, size=1_500):
    return Late(number, f"{number:064x}", bytes(size))


def names(receipts):
    return [found.request_id for found in receipts]


def taking_all(receipts):
    waiting, lost = Waiting(), []
    for found in receipts:
        waiting, over = waiting.taking(found)
        lost += over
    return waiting, lost


def test_a_receipt_waits_for_the_socket_then_for_the_store_and_is_done():
    waiting, _ = taking_all([late(1), late(2)])
    assert (names(waiting.for_the_socket), waiting.for_the_store) == ([1, 2], ())
    waiting = waiting.quoted({late(1).receipt_sha256_hex: QUOTE})
    assert names(waiting.for_the_socket) == [2]
    ((first, quote),) = waiting.for_the_store
    assert (first.request_id, quote) == (1, QUOTE)
    assert names(waiting.without(first.receipt_sha256_hex).receipts) == [2]


def test_a_quote_stays_when_others_are_quoted():
    waiting, _ = taking_all([late(1), late(2)])
    for number in (1, 2):
        waiting = waiting.quoted({late(number).receipt_sha256_hex: QUOTE})
    assert len(waiting.for_the_store) == 2


def test_a_receipt_told_twice_waits_once():
    waiting, lost = taking_all([late(1), late(1)])
    assert (names(waiting.receipts), lost) == ([1], [])


def test_what_was_given_up_or_done_is_not_quoted():
    waiting, _ = taking_all([late(1)])
    assert waiting.quoted({late(2).receipt_sha256_hex: QUOTE}) == waiting
    assert waiting.without(late(2).receipt_sha256_hex) == waiting


def test_one_too_many_costs_the_oldest():
    waiting, lost = taking_all(late(number, 1) for number in range(MAX_WAITING + 1))
    assert (names(lost), len(waiting.receipts), names(waiting.receipts)[0]) == ([0], MAX_WAITING, 1)


def test_large_receipts_cost_as_many_of_the_oldest_as_need_be():
    part = MAX_WAITING_BYTES // 4
    waiting, lost = taking_all([late(1, part), late(2, part), late(3, part), late(4, 2 * part)])
    assert (names(lost), names(waiting.receipts)) == ([1], [2, 3, 4])
    assert names(taking_all([late(1, part), late(2, 2 * MAX_WAITING_BYTES)])[1]) == [1, 2]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, MAX_WAITING_BYTES // 2)), max_size=30))
def test_each_receipt_waits_or_is_given_up_in_order_and_the_bounds_hold(told):
    waiting, lost = taking_all(Late(number, f"{number}", bytes(size)) for number, size in told)
    assert sum(len(found.receipt) for found in waiting.receipts) <= MAX_WAITING_BYTES
    kept = names(waiting.receipts)
    assert len(set(kept)) == len(kept)
    assert {number for number, _ in told} == {*kept, *names(lost)}
    if told:
        assert told[-1][0] in kept
