"""What every `RunGuests` does: the pool with real guests, and its twin with Python functions."""

import pytest

from oracle.errors import InvalidModule, OutputRefused
from oracle.model import OutputFormat
from oracle.testing.guests import FakeGuests

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(params=["pool", "twin"])
def guests(request, pool):
    return pool if request.param == "pool" else FakeGuests()


@pytest.mark.parametrize("output_format", OutputFormat)
async def test_a_good_answer_comes_back_with_what_was_spent(guests, shipped, output_format):
    result = await guests.run(shipped("echo", input_bytes=b"[1]", output_format=output_format))
    assert result.output == b"[1]"
    assert result.metrics.instructions > 0
    assert result.metrics.time_ms > 0


@pytest.mark.parametrize(
    ("output", "output_format"), [(b"\xff", OutputFormat.TEXT), (b"{", OutputFormat.JSON), (b"x" * 65_537, OutputFormat.BYTES)]
)
async def test_an_answer_that_does_not_fit_is_refused_with_what_was_spent(guests, shipped, output, output_format):
    with pytest.raises(OutputRefused) as raised:
        await guests.run(shipped("echo", input_bytes=output, output_format=output_format))
    assert raised.value.metrics.instructions > 0


async def test_more_input_costs_more(guests, shipped):
    costs = [(await guests.run(shipped("echo", input_bytes=b"x" * length))).metrics.instructions for length in (10, 10, 60_000)]
    assert costs[0] == costs[1] < costs[2]


async def test_code_that_is_no_module_is_invalid(guests, written):
    if isinstance(guests, FakeGuests):
        guests.otherwise = None
    with pytest.raises(InvalidModule, match="not WebAssembly"):
        await guests.run(written(b"no wasm"))
