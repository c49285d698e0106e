"""Pytest plugin of the local chain: fixtures are registered here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from localnet.chain import Chain


@pytest.fixture
def localnet() -> Chain:
    """
    A fresh chain in memory, at its genesis block.

        def test_counts(localnet):
            counter = localnet.create_account("counter").deploy(WASM)

    A chain costs less than a millisecond: contracts stay compiled from test to test, because chains share the process's virtual machine.
    `localnet.snapshot()` and `localnet.restore(...)` save what many tests would set up again.
    """
    from localnet.chain import Chain  # noqa: PLC0415 (only tests that use a chain pay for loading it)

    return Chain()
