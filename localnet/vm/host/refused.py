"""Host functions that nearcore has and this chain has not: contracts that import them link, and trap when they call them."""

from typing import Final

from localnet.vm.errors import NotOffered
from localnet.vm.host.table import HostBody, offered

_SIGNATURES: Final = {
    "keccak256": ("III", ""),
    "keccak512": ("III", ""),
    "ripemd160": ("III", ""),
    "ecrecover": ("IIIIIII", "I"),
    "ml_dsa_verify": ("IIIIII", "I"),
    "alt_bn128_g1_multiexp": ("III", ""),
    "alt_bn128_g1_sum": ("III", ""),
    "alt_bn128_pairing_check": ("II", "I"),
    "bls12381_p1_sum": ("III", "I"),
    "bls12381_p2_sum": ("III", "I"),
    "bls12381_g1_multiexp": ("III", "I"),
    "bls12381_g2_multiexp": ("III", "I"),
    "bls12381_map_fp_to_g1": ("III", "I"),
    "bls12381_map_fp2_to_g2": ("III", "I"),
    "bls12381_pairing_check": ("II", "I"),
    "bls12381_p1_decompress": ("III", "I"),
    "bls12381_p2_decompress": ("III", "I"),
    "promise_batch_action_deploy_global_contract": ("III", ""),
    "promise_batch_action_deploy_global_contract_by_account_id": ("III", ""),
    "promise_batch_action_use_global_contract": ("III", ""),
    "promise_batch_action_use_global_contract_by_account_id": ("III", ""),
    "promise_batch_action_state_init": ("IIII", "I"),
    "promise_batch_action_state_init_by_account_id": ("IIII", "I"),
    "set_state_init_data_entry": ("IIIIII", ""),
    "universal_state_init_to_account_id": ("III", "I"),
    "promise_batch_action_universal_state_init": ("IIII", ""),
    "promise_batch_action_transfer_to_gas_key": ("IIII", ""),
    "promise_batch_action_add_gas_key_with_full_access": ("IIII", ""),
    "promise_batch_action_add_gas_key_with_function_call": ("IIIIIIIII", ""),
    "promise_yield_create_with_id": ("IIIIIIIII", "I"),
    "promise_yield_resume_with_yield_id": ("IIII", "i"),
}


def _refuse(name: str) -> HostBody:
    def body(*_: object) -> None:
        raise NotOffered(name)

    return body


for _name, (_params, _result) in _SIGNATURES.items():
    offered(_name, _params, _result, charges=())(_refuse(_name))

NAMES: Final[tuple[str, ...]] = tuple(sorted(_SIGNATURES))
