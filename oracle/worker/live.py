"""An unfinished job in the worker's hands."""

import asyncio
from dataclasses import dataclass, field

from oracle.model import Job
from oracle.model.receipt import SignedReceipt


@dataclass(slots=True, eq=False)
class Live:
    """The job, who works on it, and what was already tried."""

    job: Job
    seen_s: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    work: asyncio.Task[None] | None = None
    sending: asyncio.Task[None] | None = None
    sent_s: float | None = None
    times_sent: int = 0
    announced_for: int | None = None
    """`yield_height` of the window whose end was announced, or tried to be."""
    extended_for: int | None = None
    check_soon: bool = False
    receipt: SignedReceipt | None = None
    """Made by this process for the answer, the last one where there were several."""
    is_new: bool = False
    """Nothing was ever sent for it: it was admitted by this worker, and no answer was tried yet."""
    is_ahead: bool = False
    """The store has not heard of the job's stage, which a crash may take back; it is told when the stage lasts."""

    def release(self) -> None:
        """End the long work that still runs, unless it is what calls."""
        _cancel(self.work)

    def release_everything(self) -> None:
        """The same, and the sending too."""
        _cancel(self.work)
        _cancel(self.sending)


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None and task is not asyncio.current_task():
        task.cancel()
