"""
The socket of a dstack machine: quotes over 64 bytes of ours, and who the machine says it is.

Speaks the interface of dstack 0.5 and later, and that of 0.3 where the socket knows no other. Every answer is bounded in time and size; a
quote that is not over the bytes asked for, or whose event log does not replay to it, is no answer. What `info` says is the machine's word
and proves nothing: it serves people.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from oracle.errors import EvidenceRefused, TeeUnavailable
from oracle.model import Attestation, Measurements, QuoteKind
from oracle.model.tee import MEASUREMENT_BYTES, MEASUREMENT_NAMES
from oracle.tee.eventlog import MAX_LOG_BYTES, EventLog
from oracle.tee.members import Members, as_members, hex_of, read_members, text_of
from oracle.tee.quote import REPORT_DATA_BYTES, parse_quote, read_quote

if TYPE_CHECKING:
    from oracle.tee.dstack_wire import Agent

DEFAULT_SOCKET = "/var/run/dstack.sock"
TAPPD_SOCKET = "/var/run/tappd.sock"
"""Where dstack 0.3 listens."""
TIMEOUT_S = 10.0
"""A quote takes a machine well under a second."""
_MAX_INFO_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MachineInfo:
    """
    What a machine says of itself, unproven; hex in lower case.

    `app_compose` is the text of the compose file and `compose_hash` its SHA-256, computed here. What a machine of dstack 0.3 does not tell
    is empty.
    """

    app_id: str
    instance_id: str
    app_name: str
    compose_hash: str
    os_image_hash: str
    key_provider_info: str
    measurements: Measurements
    app_compose: str = field(repr=False)


class Dstack:
    """
    Speaks to one socket, given as a path or an http:// URL.

    Used as an async context manager, which owns the connections. The socket may come later and may go away between.
    """

    def __init__(self, endpoint: str = DEFAULT_SOCKET, *, timeout_s: float = TIMEOUT_S) -> None:
        self._endpoint, self._timeout_s = endpoint, timeout_s
        self._agent: Agent | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._agent is not None:
            await self._forget(self._agent)

    @property
    def endpoint(self) -> str:
        """As it was given."""
        return self._endpoint

    async def quote(self, report_data: bytes) -> Attestation:
        """
        A quote over 64 bytes, with the event log that belongs to it.

        Raises:
            TeeUnavailable: no answer in time, or none that can be read.
            EvidenceRefused: the quote is not over these bytes, not of a TDX machine, or its event log does not replay.
        """
        if len(report_data) != REPORT_DATA_BYTES:
            raise ValueError(f"report data has {REPORT_DATA_BYTES} bytes, not {len(report_data)}")
        what = f"the quote of {self._endpoint}"
        answer = await self._ask(report_data)
        raw, event_log = read_quote(text_of(answer, "quote", what)), text_of(answer, "event_log", what)
        report = parse_quote(raw).report
        if report.report_data != report_data:
            raise EvidenceRefused(f"{what} is over {report.report_data.hex()}; {report_data.hex()} was asked for")
        if report.kind is not QuoteKind.TDX or report.measurements is None:
            raise EvidenceRefused(f"{what} is of {report.kind}; a dstack machine has TDX")
        EventLog.from_json(event_log).check_replays_to(report.measurements)
        return Attestation(raw, event_log)

    async def info(self) -> MachineInfo:
        """
        Who the machine says it is.

        Raises:
            TeeUnavailable: no answer in time, or none that can be read.
        """
        answer = await self._ask(None)
        try:
            return _machine_info(answer)
        except EvidenceRefused as error:
            raise TeeUnavailable(f"{self._endpoint} says of itself what cannot be read: {error}") from error

    async def _ask(self, report_data: bytes | None) -> Members:
        """`report_data` None asks for information. The interface is found out by the first method that the socket knows."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask_either(report_data)
        except TimeoutError as error:
            raise TeeUnavailable(f"{self._endpoint} kept silent for {self._timeout_s:g} seconds; is it a dstack socket?") from error
        except TeeUnavailable as error:
            raise TeeUnavailable(f"{self._endpoint}: {error}") from error

    async def _ask_either(self, report_data: bytes | None) -> Members:
        from oracle.tee.dstack_wire import NoSuchMethod, Tappd  # noqa: PLC0415  the SDK is slow to load

        agent = self._connected()
        try:
            return await _asked(agent, report_data)
        except NoSuchMethod:
            if isinstance(agent, Tappd):
                await self._forget(agent)  # a machine that was upgraded is found out anew
                raise
        await self._forget(agent)
        if self._agent is None:  # else another caller was here first
            self._agent = Tappd(self._where(), self._timeout_s)
        return await _asked(self._agent, report_data)

    def _connected(self) -> "Agent":
        from oracle.tee.dstack_wire import Agent  # noqa: PLC0415  the SDK is slow to load

        if self._agent is None:
            try:
                self._agent = Agent(self._where(), self._timeout_s)
            except (OSError, ValueError) as error:
                raise TeeUnavailable("there is no such socket; is this a dstack machine, or is DSTACK_SIMULATOR_ENDPOINT right?") from error
        return self._agent

    def _where(self) -> str:
        """The usual path leads to 0.3's socket where that is the only one."""
        if self._endpoint == DEFAULT_SOCKET and not Path(DEFAULT_SOCKET).exists() and Path(TAPPD_SOCKET).exists():
            return TAPPD_SOCKET
        return self._endpoint

    async def _forget(self, agent: "Agent") -> None:
        if self._agent is agent:
            self._agent = None
        await agent.aclose()


async def _asked(agent: "Agent", report_data: bytes | None) -> Members:
    return await (agent.machine() if report_data is None else agent.quote(report_data))


def _machine_info(answer: Members) -> MachineInfo:
    what = "the answer"
    told = answer.get("tcb_info")
    tcb_info = read_members(told, "tcb_info", max_bytes=_MAX_INFO_BYTES) if isinstance(told, str) else as_members(told, "tcb_info")
    registers = [hex_of(tcb_info, name, "tcb_info", size=MEASUREMENT_BYTES) for name in MEASUREMENT_NAMES]
    app_compose = text_of(tcb_info, "app_compose", "tcb_info")
    if len(app_compose) > MAX_LOG_BYTES:
        raise EvidenceRefused(f"app_compose has {len(app_compose):,} characters; at most {MAX_LOG_BYTES:,} are read")
    return MachineInfo(
        app_id=hex_of(answer, "app_id", what).hex(),
        instance_id=hex_of(answer, "instance_id", what).hex(),
        app_name=text_of(answer, "app_name", what),
        compose_hash=hashlib.sha256(app_compose.encode()).hexdigest(),
        os_image_hash=hex_of(tcb_info, "os_image_hash", "tcb_info").hex() if "os_image_hash" in tcb_info else "",
        key_provider_info=text_of(answer, "key_provider_info", what) if "key_provider_info" in answer else "",
        measurements=Measurements(*registers),
        app_compose=app_compose,
    )
