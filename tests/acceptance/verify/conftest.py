import pytest

from tests.acceptance.verify.chain_stage import ChainStage


@pytest.fixture(scope="session")
def made():
    """One registered worker and its answer; tests begin with its snapshot."""
    stage = ChainStage()
    return stage, stage.chain.snapshot()


@pytest.fixture
def stage(made):
    it, snapshot = made
    it.chain.restore(snapshot)
    for account in it.accounts.values():
        account._last_nonce = 0
    return it
