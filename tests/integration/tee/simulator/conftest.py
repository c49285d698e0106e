"""A simulator that runs while a test does."""

import pytest

from oracle.tee.simulator import Simulator, SimulatorOptions


@pytest.fixture
async def simulator():
    async with Simulator(SimulatorOptions(seed="integration tests")) as running:
        yield running
