"""The figures of protocol 88, checked against published ones."""

import json
from importlib.resources import files

import pytest

from localnet.parameters import ParametersError, parameters, parse_parameters

TEXT = files("localnet").joinpath("near-parameters.json").read_text()


def test_the_figures_are_those_of_protocol_88() -> None:
    figures = parameters()

    assert figures.protocol_version == 88
    assert figures.regular_op_cost == 822_756
    assert figures.host.base == 264_768_111
    assert figures.fees.transfer.execution == 115_123_062_500
    assert figures.fees.function_call_byte.send(sir=False) == 47_683_715
    assert figures.fees.function_call_byte.send(sir=True) == 2_235_934
    assert figures.limits.max_total_prepaid_gas == 10**15
    assert figures.storage_amount_per_byte == 10**19


@pytest.mark.parametrize("value", ["many", None])
def test_a_missing_or_odd_figure_is_named(value: str | None) -> None:
    view = json.loads(TEXT)
    if value is None:
        del view["wasm_config"]["ext_costs"]["sha256_base"]
    else:
        view["wasm_config"]["ext_costs"]["sha256_base"] = value

    with pytest.raises(ParametersError, match="sha256_base"):
        parse_parameters(json.dumps(view))


def test_a_missing_action_is_named() -> None:
    view = json.loads(TEXT)
    del view["action_costs"]["stake"]

    with pytest.raises(ParametersError, match=r"action_costs\.stake"):
        parse_parameters(json.dumps(view))
