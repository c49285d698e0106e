"""An outcome's leaf as near-primitives makes it (`tests/vectors/near_primitives`)."""

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest

from localnet.values.faults import ActionError, Fault
from localnet.values.hashes import NO_HASH, hash_from_text, hash_of, hash_to_text
from localnet.values.outcome import Failure, Outcome, SuccessReceiptId, SuccessValue
from localnet.values.outcome_tree import OutcomeTree, outcome_hashes

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "near_primitives" / "light_client.json").read_text())["outcomes"]


def status(shown):
    match shown:
        case {"SuccessValue": value}:
            return SuccessValue(b64decode(value))
        case {"SuccessReceiptId": receipt_id}:
            return SuccessReceiptId(hash_from_text(receipt_id))
        case _:
            return Failure(ActionError(0, Fault("AccountDoesNotExist", {"account_id": "bob.near"})))


def outcome(shown):
    inner = shown["outcome"]
    return Outcome(
        id=hash_from_text(shown["id"]),
        block_hash=NO_HASH,
        block_height=1,
        executor_id=inner["executor_id"],
        logs=tuple(inner["logs"]),
        receipt_ids=tuple(hash_from_text(receipt_id) for receipt_id in inner["receipt_ids"]),
        gas_burnt=inner["gas_burnt"],
        tokens_burnt_yocto=int(inner["tokens_burnt"]),
        status=status(inner["status"]),
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["view"]["outcome"]["status"])[2:18])
def test_a_leaf_is_nearcores(vector):
    ours = outcome(vector["view"])
    assert [hash_to_text(value) for value in outcome_hashes(ours)] == vector["hashes"]
    assert [hash_to_text(leaf) for leaf in OutcomeTree.of([ours]).leaves] == [vector["leaf"]]


def test_each_member_that_nearcore_hashes_is_in_the_leaf():
    ours = outcome(VECTORS[1]["view"])
    changes = (
        {"id": hash_of(b"another")},
        {"executor_id": "alice.test.nea"},
        {"logs": ours.logs[:-1]},
        {"logs": ("", *ours.logs[1:])},
        {"receipt_ids": ()},
        {"gas_burnt": ours.gas_burnt - 1},
        {"tokens_burnt_yocto": ours.tokens_burnt_yocto - 1},
        {"status": SuccessValue(b"hell")},
    )
    leaves = {OutcomeTree.of([each]).root for each in (ours, *(replace(ours, **change) for change in changes))}
    assert len(leaves) == len(changes) + 1
