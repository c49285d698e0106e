"""Prices as PROTOCOL's formula says, worked out by hand; amounts as decimal strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.model import Limits, Metrics, YoctoNear, format_near, yocto_from_text
from oracle.model.money import DEFAULT_PRICING


def test_default_limits_are_estimated_at_base_instructions_and_time():
    # 1e21 + 1,000 million-units x 1e14 + 60,000 ms x 1e17
    assert DEFAULT_PRICING.estimate(Limits()) == 10**21 + 1000 * 10**14 + 60_000 * 10**17


def test_compile_only_is_estimated_at_the_base_fee():
    assert DEFAULT_PRICING.estimate(None) == 10**21


def test_instructions_are_billed_by_whole_millions_rounded_down():
    assert DEFAULT_PRICING.charge(Metrics(instructions=1_999_999)) == 10**21 + 10**14
    assert DEFAULT_PRICING.charge(Metrics(instructions=999_999)) == 10**21


def test_compile_time_is_billed_by_the_millisecond():
    assert DEFAULT_PRICING.charge(Metrics(compile_time_ms=7)) == 10**21 + 7 * 10**17


@given(st.integers(0, 10**12), st.integers(0, 10**7), st.integers(0, 10**12), st.integers(0, 10**7))
def test_using_more_never_costs_less(instructions, time_ms, more_instructions, more_ms):
    less = Metrics(instructions, time_ms)
    more = Metrics(instructions + more_instructions, time_ms + more_ms)
    assert DEFAULT_PRICING.charge(less) <= DEFAULT_PRICING.charge(more)


@given(st.integers(0, 2**128 - 1))
def test_an_amount_survives_its_decimal_string(amount):
    assert yocto_from_text(str(amount)) == amount


@pytest.mark.parametrize("text", ["", "-1", "1.0", "1e3", " 1", "0x10", "\u0661", str(2**128), "9" * 5000])
def test_what_is_no_u128_is_refused(text):
    with pytest.raises(ValueError, match="u128"):
        yocto_from_text(text)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 NEAR"), (10**24, "1 NEAR"), (15 * 10**23, "1.5 NEAR"), (1, "0.000000000000000000000001 NEAR")],
)
def test_amounts_are_written_exactly(amount, text):
    assert format_near(YoctoNear(amount)) == text
