"""Laws of the gas counter; its figures are held by the recorded answers."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localnet.vm.errors import HostError
from localnet.vm.gas import U64_MAX, GasCounter

AMOUNTS = st.integers(0, 10**16)


@given(AMOUNTS, st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=8))
def test_never_more_is_burnt_or_used_than_was_paid(prepaid: int, payments: list[tuple[int, int]]) -> None:
    gas = GasCounter(prepaid=prepaid, max_burnt=10**15)
    with suppress(HostError):
        for send, execution in payments:
            gas.pay_action(send, execution)
            gas.burn(execution)
    assert gas.burnt <= min(prepaid, 10**15)
    assert gas.burnt <= gas.used <= prepaid


@given(AMOUNTS, st.lists(AMOUNTS, max_size=5))
def test_charges_paid_together_end_as_those_paid_one_by_one(prepaid: int, amounts: list[int]) -> None:
    together, single = GasCounter(prepaid=prepaid, max_burnt=10**15), GasCounter(prepaid=prepaid, max_burnt=10**15)
    errors = []
    for gas, pay in ((together, together.burn_each), (single, lambda *each: [single.burn(amount) for amount in each])):
        try:
            pay(*amounts)
            errors.append(None)
        except HostError as error:
            errors.append(error)
        assert gas.burnt <= prepaid
    assert errors[0] == errors[1]
    assert (together.burnt, together.used) == (single.burnt, single.used)


def test_reserving_shrinks_what_wasm_may_burn() -> None:
    gas = GasCounter(prepaid=100, max_burnt=1000)
    gas.burn(10)
    gas.reserve(60)

    assert gas.remaining == 30
    with pytest.raises(HostError, match="Exceeded the prepaid gas"):
        gas.burn(31)
    assert (gas.burnt, gas.used) == (41, 100)


def test_the_limit_of_a_call_is_told_apart_from_the_prepaid_gas() -> None:
    gas = GasCounter(prepaid=100, max_burnt=50)

    with pytest.raises(HostError, match="maximum amount of gas allowed to burn"):
        gas.burn(51)
    assert (gas.burnt, gas.used) == (50, 51)


def test_a_charge_beyond_64_bits_is_an_overflow() -> None:
    gas = GasCounter(prepaid=100, max_burnt=100)

    with pytest.raises(HostError, match="Integer overflow"):
        gas.burn_units(2, U64_MAX)
    assert gas.burnt == 0
