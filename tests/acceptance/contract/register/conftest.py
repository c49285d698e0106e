import pytest

from tests.acceptance.contract.register.register_stage import RegisterStage


@pytest.fixture(scope="session")
def prepared():
    """One contract with collateral and approved measurements; tests begin with its snapshot."""
    stage = RegisterStage()
    stage.prepare()
    return stage, stage.chain.snapshot()


@pytest.fixture
def register(request, prepared):
    """A contract that is ready to register; afterwards, what the test says it exercises must have run."""
    stage, snapshot = prepared
    stage.chain.restore(snapshot)
    for account in stage.accounts.values():
        account._last_nonce = 0
    stage.succeeded.clear()
    stage.events.clear()
    yield stage
    promised = {name for marker in request.node.iter_markers("exercises") for name in marker.args}
    assert promised <= stage.succeeded, f"not run with success: {promised - stage.succeeded}"
