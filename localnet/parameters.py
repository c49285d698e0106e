"""
The runtime configuration of NEAR's protocol 88, read from `near-parameters.json` beside this file into frozen values.

The JSON is nearcore's own `RuntimeConfigView` with every action cost added, printed by `tests/realvm --params`.
Gas is in gas units, money in yoctoNEAR.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

T = TypeVar("T")


class ParametersError(ValueError):
    """The parameter file lacks a figure or has one that is no whole number."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What an action costs: to send, to oneself (`sir`: sender is receiver) or another, and to execute."""

    send_sir: int
    send_not_sir: int
    execution: int

    def send(self, *, sir: bool) -> int:
        """The gas burnt by the one who makes the receipt."""
        return self.send_sir if sir else self.send_not_sir


@dataclass(frozen=True, slots=True)
class ActionFees:
    """A fee for each kind of action and receipt; `*_byte` ones are for each byte."""

    add_full_access_key: Fee
    add_function_call_key_base: Fee
    add_function_call_key_byte: Fee
    create_account: Fee
    delegate: Fee
    delete_account: Fee
    delete_key: Fee
    deploy_contract_base: Fee
    deploy_contract_byte: Fee
    function_call_base: Fee
    function_call_byte: Fee
    new_action_receipt: Fee
    new_data_receipt_base: Fee
    new_data_receipt_byte: Fee
    stake: Fee
    transfer: Fee


@dataclass(frozen=True, slots=True)
class HostCosts:
    """Gas of the host functions' parts (`ext_costs`)."""

    base: int
    contract_loading_base: int
    contract_loading_bytes: int
    ed25519_verify_base: int
    ed25519_verify_byte: int
    log_base: int
    log_byte: int
    p256_verify_base: int
    p256_verify_byte: int
    promise_and_base: int
    promise_and_per_promise: int
    promise_return: int
    read_memory_base: int
    read_memory_byte: int
    read_register_base: int
    read_register_byte: int
    sha256_base: int
    sha256_byte: int
    sha3_256_base: int
    sha3_256_byte: int
    sha3_384_base: int
    sha3_384_byte: int
    sha3_512_base: int
    sha3_512_byte: int
    storage_has_key_base: int
    storage_has_key_byte: int
    storage_large_read_overhead_base: int
    storage_large_read_overhead_byte: int
    storage_read_base: int
    storage_read_key_byte: int
    storage_read_value_byte: int
    storage_remove_base: int
    storage_remove_key_byte: int
    storage_remove_ret_value_byte: int
    storage_write_base: int
    storage_write_evicted_byte: int
    storage_write_key_byte: int
    storage_write_value_byte: int
    touching_trie_node: int
    utf16_decoding_base: int
    utf16_decoding_byte: int
    utf8_decoding_base: int
    utf8_decoding_byte: int
    validator_stake_base: int
    validator_total_stake_base: int
    write_memory_base: int
    write_memory_byte: int
    write_register_base: int
    write_register_byte: int
    yield_create_base: int
    yield_create_byte: int
    yield_resume_base: int
    yield_resume_byte: int


@dataclass(frozen=True, slots=True)
class Limits:
    """`limit_config`: what a contract, a call, a receipt and a transaction may have. Sizes are bytes."""

    initial_memory_pages: int
    max_actions_per_receipt: int
    max_arguments_length: int
    max_blocks_per_contract: int
    max_blocks_per_function: int
    max_contract_size: int
    max_elements_per_contract_table: int
    max_function_body_size: int
    max_functions_number_per_contract: int
    max_gas_burnt: int
    max_gas_burnt_view: int
    max_instrumented_code_size: int
    max_length_method_name: int
    max_length_returned_data: int
    max_length_storage_key: int
    max_length_storage_value: int
    max_locals_per_contract: int
    max_memory_pages: int
    max_number_bytes_method_names: int
    max_number_input_data_dependencies: int
    max_number_logs: int
    max_number_registers: int
    max_operand_stack_bytes_per_function: int
    max_params_per_contract: int
    max_params_per_function: int
    max_promises_per_function_call_action: int
    max_receipt_size: int
    max_register_size: int
    max_stack_height: int
    max_tables_per_contract: int
    max_total_log_length: int
    max_total_prepaid_gas: int
    max_transaction_size: int
    max_types_per_contract: int
    max_yield_payload_size: int
    min_contract_size_per_local: int
    registers_memory_limit: int
    yield_timeout_length_in_blocks: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """One protocol version's figures."""

    protocol_version: int
    fees: ActionFees
    host: HostCosts
    limits: Limits
    regular_op_cost: int
    """Gas of a wasm instruction."""
    linear_op_base_cost: int
    """Gas of an instruction whose work depends on an operand (memory.copy ..), besides its units."""
    linear_op_unit_cost: int
    inline_disk_value_threshold: int
    """Reading a longer value costs the large-read overhead."""
    num_bytes_account: int
    """Storage an account's record takes."""
    num_extra_bytes_record: int
    """Storage a key-value pair takes besides key and value."""
    storage_amount_per_byte: int
    """yoctoNEAR an account must hold for a byte of storage."""
    zero_balance_account_storage_limit: int
    """An account with no more storage than this needs no balance."""
    min_gas_purchase_price: int
    """yoctoNEAR a unit of gas; what is attached to a receipt is bought at no lower price."""


def _whole(name: str, source: Mapping[str, Any]) -> int:
    try:
        return int(source[name])
    except (KeyError, TypeError, ValueError) as error:
        raise ParametersError(f"near-parameters.json: {name} is missing or no whole number") from error


def _figures(kind: type[T], source: Mapping[str, Any]) -> T:
    return kind(**{field.name: _whole(field.name, source) for field in fields(kind)})  # type: ignore[arg-type]


def _fee(name: str, costs: Mapping[str, Any]) -> Fee:
    if name not in costs:
        raise ParametersError(f"near-parameters.json: action_costs.{name} is missing")
    return _figures(Fee, costs[name])


def parse_parameters(text: str | bytes) -> Parameters:
    """
    Read a runtime configuration as `tests/realvm --params` prints it.

    Raises:
        ParametersError: a figure is missing or no whole number.
    """
    view = json.loads(text)
    wasm, usage = view["wasm_config"], view["transaction_costs"]["storage_usage_config"]
    return Parameters(
        protocol_version=_whole("protocol_version", view),
        fees=ActionFees(**{field.name: _fee(field.name, view["action_costs"]) for field in fields(ActionFees)}),
        host=_figures(HostCosts, wasm["ext_costs"]),
        limits=_figures(Limits, wasm["limit_config"]),
        regular_op_cost=_whole("regular_op_cost", wasm),
        linear_op_base_cost=_whole("linear_op_base_cost", wasm),
        linear_op_unit_cost=_whole("linear_op_unit_cost", wasm),
        inline_disk_value_threshold=_whole("inline_disk_value_threshold", view),
        num_bytes_account=_whole("num_bytes_account", usage),
        num_extra_bytes_record=_whole("num_extra_bytes_record", usage),
        storage_amount_per_byte=_whole("storage_amount_per_byte", view),
        zero_balance_account_storage_limit=_whole("zero_balance_account_storage_limit", view),
        min_gas_purchase_price=_whole("min_gas_purchase_price", view),
    )


@cache
def parameters() -> Parameters:
    """The figures this chain runs by."""
    return parse_parameters(files("localnet").joinpath("near-parameters.json").read_bytes())
