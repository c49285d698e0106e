import pytest

from register.binding import Context

CONTEXT = Context("worker.near", "outlayer.near", 1_750_000_000_000_000_001, bytes([7]) * 32)
KNOWN = "68acc2ba6ac0b47a3eea720698abb386928cf8d468cdbb114fb07a54574951cb"
"""The contract's own test has the same (contracts/register/src/binding.rs), made there by borsh of another library."""


def test_the_report_data_is_what_the_contract_expects():
    report_data = CONTEXT.report_data(bytes([9]) * 32)
    assert report_data == bytes([9]) * 32 + bytes.fromhex(KNOWN)


@pytest.mark.parametrize(
    "other",
    [
        Context("other.near", "outlayer.near", 1_750_000_000_000_000_001, bytes([7]) * 32),
        Context("worker.near", "other.near", 1_750_000_000_000_000_001, bytes([7]) * 32),
        Context("worker.near", "outlayer.near", 1_750_000_000_000_000_002, bytes([7]) * 32),
        Context("worker.near", "outlayer.near", 1_750_000_000_000_000_001, bytes([8]) * 32),
        Context("worker.nearo", "utlayer.near", 1_750_000_000_000_000_001, bytes([7]) * 32),
    ],
)
def test_every_part_of_the_context_moves_the_report_data(other):
    key = bytes([9]) * 32
    assert other.report_data(key)[:32] == key
    assert other.report_data(key) != CONTEXT.report_data(key)


def test_what_has_a_wrong_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        CONTEXT.report_data(bytes(31))
    with pytest.raises(ValueError, match="32 bytes, not 33"):
        Context("a.near", "b.near", 1, bytes(33))
    with pytest.raises(ValueError, match="no u64"):
        Context("a.near", "b.near", 2**64, bytes(32))
