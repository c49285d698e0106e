"""
Yields: a receipt that waits for its account to resume it, or for its time-out.

Source: nearcore `ext.rs` (`create_promise_yield_receipt`, `submit_promise_resume_data`), `lib.rs` (`resolve_promise_yield_timeouts`).
"""

from localnet.runtime.environment import Environment
from localnet.state.tables import Key, Table, YieldTimeout
from localnet.state.world import World, counter_key
from localnet.values.hashes import CryptoHash, child_id
from localnet.values.receipt import DataReceipt

_WAITS, _RESUMED = 0, 1
_FIRST, _NEXT = counter_key(b"timeouts first"), counter_key(b"timeouts next")


def exists(world: World, account_id: str, data_id: bytes) -> bool:
    """Whether the account has a yield for this data id that has not run."""
    return _status(world, account_id, data_id) is not None


def is_resumed(world: World, account_id: str, data_id: bytes) -> bool:
    """Whether a resume is under way, so that a time-out comes too late."""
    return _status(world, account_id, data_id) == _RESUMED


def _status(world: World, account_id: str, data_id: bytes) -> int | None:
    status: int | None = world.get(Key(Table.YIELD_STATUS, account_id, data_id))
    return status


def begin(world: World, account_id: str, data_id: bytes, environment: Environment) -> None:
    """Note a yield and its time-out; its receipt is stored right after the receipt that made it."""
    world.put(Key(Table.YIELD_STATUS, account_id, data_id), _WAITS)
    expires_at = environment.height + environment.parameters.limits.yield_timeout_length_in_blocks
    place = world.counter(_NEXT)
    world.put(_timeout_key(place), YieldTimeout(expires_at, account_id, CryptoHash(data_id)))
    world.put(_NEXT, place + 1)


def mark_resumed(world: World, account_id: str, data_id: bytes) -> None:
    """Note that a resume is under way."""
    world.put(Key(Table.YIELD_STATUS, account_id, data_id), _RESUMED)


def end(world: World, account_id: str, data_id: bytes) -> None:
    """The yield's receipt runs: forget it."""
    world.put(Key(Table.YIELD, account_id, data_id), None)
    world.put(Key(Table.YIELD_STATUS, account_id, data_id), None)


def _timeout_key(place: int) -> Key:
    return Key(Table.YIELD_TIMEOUT, "", place.to_bytes(8, "big"))


def due(world: World, environment: Environment) -> list[DataReceipt]:
    """Take the time-outs that are due from their queue; each that is still awaited becomes a receipt, and runs in a later block."""
    first, after = world.counter(_FIRST), world.counter(_NEXT)
    start, resumes = first, list[DataReceipt]()
    while first < after:
        timeout: YieldTimeout = world.get(_timeout_key(first))
        if timeout.expires_at_height > environment.height:
            break
        waiting = world.stored_yield(timeout.account_id, timeout.data_id)
        if waiting is not None:
            receipt_id = child_id(timeout.data_id, environment.height, len(resumes))
            resumes.append(_timed_out(receipt_id, timeout, waiting.tx_hash))
        world.put(_timeout_key(first), None)
        first += 1
    if first != start:
        world.put(_FIRST, first)
    return resumes


def _timed_out(receipt_id: CryptoHash, timeout: YieldTimeout, tx_hash: CryptoHash) -> DataReceipt:
    return DataReceipt(
        receipt_id=receipt_id,
        predecessor_id=timeout.account_id,
        receiver_id=timeout.account_id,
        data_id=timeout.data_id,
        data=None,
        tx_hash=tx_hash,
        is_promise_resume=True,
    )
