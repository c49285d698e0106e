"""Values that cannot be wrong."""

import pytest

from oracle.model import Answer, Limits


@pytest.mark.parametrize("field", ["max_instructions", "max_memory_mb", "max_execution_seconds"])
@pytest.mark.parametrize("value", [0, -1, True, 1.5, "1"])
def test_a_limit_is_a_whole_number_of_at_least_one(field, value):
    with pytest.raises(ValueError, match=field):
        Limits(**{field: value})


def test_left_out_limits_are_the_contracts_defaults():
    assert Limits() == Limits(max_instructions=1_000_000_000, max_memory_mb=128, max_execution_seconds=60)


@pytest.mark.parametrize(("success", "error"), [(True, "why"), (False, None)])
def test_an_answer_has_an_error_exactly_when_it_failed(success, error):
    with pytest.raises(ValueError, match="if and only if"):
        Answer(request_id=1, success=success, error=error)
