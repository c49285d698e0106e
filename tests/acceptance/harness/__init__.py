"""Real processes on the local chain: the chain, the worker, and people who ask. Used by acceptance tests, soak and benchmarks."""

from tests.acceptance.harness.client import Client, Signer
from tests.acceptance.harness.processes import ChainProcess, WorkerProcess
from tests.acceptance.harness.world import OUTLAYER, Ask, Heard, World

__all__ = ["OUTLAYER", "Ask", "ChainProcess", "Client", "Heard", "Signer", "WorkerProcess", "World"]
