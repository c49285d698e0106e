"""
Check 19: whether the application's owner allows the compose file, by the word of nodes of an EVM chain.

They are asked about an application that verified evidence names, and about nothing else. The contract tells the present, not the moment of
the receipt; a node is believed, and several have to say the same.
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from oracle.errors import ConfigurationError, EvidenceRefused, TeeUnavailable
from oracle.flows.verify.check import Check, failed, not_reached, passed, unknown
from oracle.flows.verify.offline import Evidence
from oracle.settings import redacted_url
from oracle.tee.evm import INSTALL, AppContracts

_OPTION = "--evm-rpc"


@dataclass(frozen=True, slots=True)
class EvmNodes:
    """Whom to ask, and of which chain the nodes have to be; None: of any."""

    urls: tuple[str, ...]
    chain_id: int | None = None


class Trouble(StrEnum):
    """Why a node does not tell."""

    SILENT = "silent"
    NO_CONTRACT = "no contract"
    NOT_INSTALLED = "not installed"


@dataclass(frozen=True, slots=True)
class OwnerWord:
    """
    What one node, by scheme, host and port, says of a compose hash.

    `allows` None: it does not tell, for the `reason`, which names the place.
    """

    place: str
    allows: bool | None
    trouble: Trouble | None = None
    reason: str = ""

    @property
    def told(self) -> str:
        """As one half-sentence."""
        if self.allows is None:
            return self.reason
        return f"{self.place} says that it {'allows' if self.allows else 'does not allow'} it"

    def mend(self, name: str) -> str | None:
        """What would make the node tell; `name`: the option or setting that names it."""
        match self.trouble:
            case None:
                return None
            case Trouble.SILENT:
                return f"name another node with {name}"
            case Trouble.NO_CONTRACT:
                return f"name a node of the chain that the application's contract is on, with {name}; an app id that is no address has none"
            case Trouble.NOT_INSTALLED:
                return INSTALL


async def ask_owner(nodes: EvmNodes, app_id_hex: str, compose_hash_hex: str) -> tuple[OwnerWord, ...]:
    """What each node says; it takes no longer than one of them may."""
    return tuple(await asyncio.gather(*(_ask_node(url, nodes.chain_id, app_id_hex, compose_hash_hex) for url in nodes.urls)))


async def _ask_node(url: str, chain_id: int | None, app_id_hex: str, compose_hash_hex: str) -> OwnerWord:
    place = redacted_url(url)
    try:
        return OwnerWord(place, await AppContracts(url, chain_id=chain_id).allows(app_id_hex, compose_hash_hex))
    except ConfigurationError as error:
        return OwnerWord(place, None, Trouble.NOT_INSTALLED, "; ".join(error.problems))
    except TeeUnavailable as error:
        return OwnerWord(place, None, Trouble.SILENT, str(error))
    except EvidenceRefused as error:
        return OwnerWord(place, None, Trouble.NO_CONTRACT, str(error))


async def verify_owner(evidence: Evidence | None, nodes: EvmNodes) -> Check:
    """Ask, where there is an application to ask about, and judge."""
    app = None if evidence is None else evidence.application
    if app is None:
        return not_reached(19, "no verified quote with an event log names an application")
    return check_owner(app.app_id, app.compose_hash, await ask_owner(nodes, app.app_id, app.compose_hash))


def check_owner(app_id_hex: str, compose_hash_hex: str, words: tuple[OwnerWord, ...]) -> Check:
    """Hold the words against one another: it holds when every node that was named says so."""
    expected = f"the contract 0x{app_id_hex} allows the compose hash {compose_hash_hex}"
    seen = "; ".join(word.told for word in words)
    silent = next((word for word in words if word.allows is None), None)
    if silent is not None:
        return unknown(19, seen, expected, silent.mend(_OPTION))
    if len({word.allows for word in words}) > 1:
        return unknown(19, f"nodes differ: {seen}", expected, "one of them lies or lags; ask others")
    if not words[0].allows:
        mend = "ask the application's owner whether it was taken back: dstack's key service gives such a machine no keys"
        return failed(19, seen, expected, mend)
    return passed(19, seen, expected)
