import asyncio
import errno
import io

import pytest
import structlog

from localnet.cli.logs import configure_logs
from localnet.rpc.production import BlockProducer
from localnet.state.store import StateError


@pytest.fixture
def logs():
    yield configure_logs
    structlog.reset_defaults()


class Full(io.StringIO):
    """A file on the same disk."""

    def write(self, _text):
        raise OSError(errno.ENOSPC, "No space left on device")


class FullOnce:
    """A chain's thread whose disk is full the first time."""

    def __init__(self):
        self.asked, self.made = 0, asyncio.Event()

    async def run_judged(self, _work):
        self.asked += 1
        if self.asked == 1:
            raise StateError("no room")
        self.made.set()
        return False


async def test_a_log_on_the_full_disk_too_does_not_end_the_making_of_blocks(logs, monkeypatch):
    monkeypatch.setattr("localnet.rpc.production._FIRST_RETRY_S", 0.0)
    owner = FullOnce()
    logs(Full())
    making, made = asyncio.create_task(BlockProducer(owner, block_time_s=None).run()), asyncio.create_task(owner.made.wait())
    await asyncio.wait({making, made}, return_when=asyncio.FIRST_COMPLETED)
    assert not making.done()
    for task in (making, made):
        task.cancel()
    await asyncio.gather(making, made, return_exceptions=True)


def test_what_goes_wrong_is_told(logs):
    out = io.StringIO()
    logs(out)
    structlog.get_logger().warning("block_not_written", reason="no room")
    assert "block_not_written" in out.getvalue()
    out.close()
    structlog.get_logger().warning("lost")
