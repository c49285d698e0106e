"""
Keeps a registered key registered while its worker runs: renews it in time, and says when it may not answer any more.

Trouble with chain, socket or collateral is waited out: a registration that is valid is worked with whatever else is down. A revoked key
never answers again; one that has expired answers again once it is renewed. What one node says is looked at again: a lie stops a worker for
as long as it is told.
"""

import asyncio
from collections.abc import Callable

import structlog

from oracle.errors import ChainError, ConfigurationError, RpcUnavailable, TeeError
from oracle.model import NEAR, YoctoNear
from oracle.near import SigningKey
from register.access import find_access_key
from register.contract import Registered
from register.registrar import Registrar, Registration

LOOK_EVERY_S = 20.0
RENEW_AT_SHARE = 1 / 3
"""Of the lifetime: what is left when a key is renewed; ten days of thirty to get over any trouble."""
LOW_ALLOWANCE = YoctoNear(NEAR)
"""Some hundred answers' gas at the price at which it is locked; a registration gives 5 NEAR unless the owner sets it otherwise."""
LOW_SHARE = 1 / 5
_FIRST_RETRY_S, _LONGEST_RETRY_S = 2.0, 300.0

_log = structlog.get_logger()


class Keeper:
    """One key's standing on chain; `run` it beside the worker. `renewed` is called when the key was put on the account anew."""

    def __init__(
        self, registrar: Registrar, key: SigningKey, registration: Registration, renewed: Callable[[], None] = lambda: None
    ) -> None:
        self._registrar, self._key, self._renewed = registrar, key, renewed
        self._rpc, self._clock = registrar.rpc, registrar.clock
        self._registration = registration
        self._lost: str | None = None
        self._unseen = 0
        self._trouble: str | None = None
        self._poke = asyncio.Event()
        self._retry_s = _FIRST_RETRY_S

    @property
    def registration(self) -> Registration:
        """The last one that came about."""
        return self._registration

    @property
    def lost(self) -> str | None:
        """Why the key may not answer; None: it may."""
        return self._lost

    @property
    def trouble(self) -> str | None:
        """What is wrong, for people: the key is lost, or could not be renewed yet."""
        return self._lost or self._trouble

    def look_soon(self) -> None:
        """Something hints that the key's standing has changed."""
        self._poke.set()

    async def run(self) -> None:
        """Look from time to time, for ever."""
        while True:
            await self._wait()
            await self.look()

    async def look(self) -> None:
        """Ask how the key stands, and renew it when it is time."""
        try:
            await self._judge()
        except (ChainError, TeeError, ConfigurationError) as error:
            self._trouble = f"the registration could not be looked after: {error}"
            self._retry_s = min(2 * self._retry_s, _LONGEST_RETRY_S)
            _log.warning("registration_trouble", reason=str(error), valid=self._lost is None, again_in_s=round(self._retry_s))
        else:
            self._trouble, self._retry_s = None, _FIRST_RETRY_S

    async def _judge(self) -> None:
        public_key, contract = self._key.public_key, self._registrar.contract
        if await contract.is_revoked(public_key):
            self._lose(f"the owner of {contract.account_id} has revoked this worker's key {public_key}; it answers no more")
            return
        registered = await contract.worker(public_key=public_key)
        block = await self._rpc.final_block()
        access = await find_access_key(self._rpc, contract.account_id, public_key)
        self._unseen = self._unseen + 1 if registered is None or access is None else 0
        if self._unseen == 1 and self._lost is None:
            raise RpcUnavailable(f"the node does not show {public_key} on {contract.account_id}; it may be behind")
        if registered is None or registered.expired or block.timestamp_ns >= registered.expires_at_ns or access is None:
            self._lose(f"the registration of this worker's key {public_key} on {contract.account_id} has ended; it answers once renewed")
            await self._renew("it has ended")
        elif self._left(registered, block.timestamp_ns) < RENEW_AT_SHARE:
            await self._renew("its time runs out")
        elif access.allowance_yocto is not None and access.allowance_yocto < self._low_allowance():
            await self._renew("its allowance runs out")
        else:
            self._find()

    def _left(self, registered: Registered, now_ns: int) -> float:
        return (registered.expires_at_ns - now_ns) / 1e9 / self._registration.lifetime_s

    def _low_allowance(self) -> float:
        """A fifth where the owner gives little, so that a renewal lasts."""
        given = self._registration.allowance_yocto
        return LOW_ALLOWANCE if given is None else min(LOW_ALLOWANCE, given * LOW_SHARE)

    async def _renew(self, reason: str) -> None:
        _log.info("registration_renewing", public_key=self._key.public_key, reason=reason)
        self._registration = await self._registrar.register(self._key)
        self._find()
        self._renewed()
        _log.info("registration_renewed", public_key=self._key.public_key, expires_at_ns=self._registration.expires_at_ns)

    def _lose(self, sentence: str) -> None:
        if self._lost is None:
            _log.error("registration_lost", reason=sentence)
        self._lost = sentence

    def _find(self) -> None:
        if self._lost is not None:
            _log.info("registration_found_again", public_key=self._key.public_key)
        self._lost = None

    async def _wait(self) -> None:
        """Until the next look is due, or something hints at news."""
        due_s = LOOK_EVERY_S if self._trouble is None else self._retry_s
        sleeping, poked = asyncio.ensure_future(self._clock.sleep(due_s)), asyncio.ensure_future(self._poke.wait())
        try:
            await asyncio.wait({sleeping, poked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, poked):
                task.cancel()
            await asyncio.gather(sleeping, poked, return_exceptions=True)
        self._poke.clear()
