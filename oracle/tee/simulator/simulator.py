"""
The simulator as a whole: a machine, its socket, and a service with its collateral.

It proves nothing about any hardware. Verifiers take its quotes only when they are given its root, which is a setting of theirs.
"""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.serialization import Encoding

from oracle.settings import Listen
from oracle.tee.simulator.agent_http import agent_app
from oracle.tee.simulator.collateral import USUAL_TERMS, Collateral, CollateralTerms, make_collateral
from oracle.tee.simulator.guest_agent import GuestAgent
from oracle.tee.simulator.hardware import Platform, Tee
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.listening import directory_for_a_socket, listen_at_path, listen_at_port, started, write_root
from oracle.tee.simulator.machine import Machine, MachineOptions
from oracle.tee.simulator.pccs import Pccs
from oracle.tee.simulator.pki import make_pki
from oracle.tee.simulator.quotes import Quoter

_SOCKET_NAME = "dstack.sock"


def _now_s() -> int:
    return int(time.time())


@dataclass(frozen=True)
class SimulatorOptions:
    """What is simulated and where it listens."""

    seed: str | None = None
    """The same text gives the same keys; None makes keys that end with the process."""
    platform: Platform = field(default_factory=Platform)
    machine: MachineOptions = field(default_factory=MachineOptions)
    terms: CollateralTerms = USUAL_TERMS
    socket_path: Path | None = None
    """None makes one in a directory that goes with the simulator."""
    listen: Listen | None = None
    """A port beside the socket; None opens none."""
    pccs: Listen = field(default_factory=lambda: Listen("127.0.0.1", 0))
    root_out: Path | None = None
    """Where the root is written as PEM; None puts it into the simulator's directory."""
    clock: Callable[[], int] = _now_s
    """Seconds since 1970, of the collateral."""


class Simulator:
    """
    Serves while its `async with` block runs.

    Raises on entry:
        ConfigurationError: a socket, a port or a file cannot be had.
    """

    def __init__(self, options: SimulatorOptions | None = None) -> None:
        self.options = options or SimulatorOptions()
        secrets = Secrets.random() if self.options.seed is None else Secrets.from_text(self.options.seed)
        self.pki = make_pki(secrets, self.options.platform)
        self.quoter = Quoter(secrets, self.pki)
        self.machine = Machine(secrets, self.quoter, self.options.machine)
        self.terms = self.options.terms
        """What the collateral says from now on; a test may change it while the simulator runs."""
        self._agent = GuestAgent(secrets, self.machine)
        self._stack = AsyncExitStack()
        self.socket_path = Path()
        self.root_path = Path()
        self.url: str | None = None
        self.pccs_url = ""

    @property
    def root_der(self) -> bytes:
        """The root to trust, DER."""
        return self.pki.root_der

    def quote(self, report_data: bytes) -> bytes:
        """A quote of the machine as it is now; see `Machine.quote`."""
        return self.machine.quote(report_data)

    def collateral(self, now_s: int | None = None, tee: Tee = Tee.TDX, terms: CollateralTerms | None = None) -> Collateral:
        """Collateral at a time; both default to what the service hands out."""
        return make_collateral(self.pki, tee, self.options.clock() if now_s is None else now_s, self.terms if terms is None else terms)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            directory = stack.enter_context(directory_for_a_socket(_SOCKET_NAME))
            self.root_path = self.options.root_out or directory / "test-root.pem"
            self.socket_path = self.options.socket_path or directory / _SOCKET_NAME
            write_root(self.root_path, self.pki.root.certificate.public_bytes(Encoding.PEM))
            agent = await started(stack, agent_app(self._agent))
            await listen_at_path(agent, self.socket_path)
            stack.callback(self.socket_path.unlink, missing_ok=True)
            if self.options.listen is not None:
                self.url = await listen_at_port(agent, self.options.listen, "--listen")
            pccs = await started(stack, Pccs(self.pki, lambda: self.terms, self.options.clock).app())
            self.pccs_url = await listen_at_port(pccs, self.options.pccs, "--pccs")
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()
