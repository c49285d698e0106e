import pytest

from tests.acceptance.contract.stage import Stage


def pytest_configure(config):
    config.addinivalue_line("markers", "exercises(*methods): entry points of the main contract that this test runs with success")


@pytest.fixture
def stage(request):
    """A fresh main contract; afterwards, what the test says it exercises must have run, and all money must be where it belongs."""
    stage = Stage()
    yield stage
    promised = {name for marker in request.node.iter_markers("exercises") for name in marker.args}
    assert promised <= stage.succeeded, f"not run with success: {promised - stage.succeeded}"
    stage.chain.run_until_idle()
    if not stage.view("get_pending_request_ids"):
        assert stage.total_yocto() == stage.supply
