"""Real processes on the local chain: the chain, the worker, and people who ask. Used by acceptance tests, soak and benchmarks."""

from tests.acceptance.harness.client import Client, Signer
from tests.acceptance.harness.processes import ChainProcess, WorkerProcess
from tests.acceptance.harness.world import Ask, World

__all__ = ["Ask", "ChainProcess", "Client", "Signer", "WorkerProcess", "World"]
