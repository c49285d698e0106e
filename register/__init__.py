"""
A worker's key comes on chain: made in memory, bound to a quote, registered, kept registered, and looked after.

Uses `oracle`'s values, errors, ports, and its rooms for the chain and for quotes; what is real is handed in by `oracle.wiring`.
"""

from register.block_time import BlockTimes
from register.contract import RegisterContract
from register.evidence import Judge, Witness
from register.keeper import Keeper
from register.plan import Plan
from register.registrar import Prepared, Registrar, Registration
from register.sender import AnswersWhileRegistered
from register.submission import Payer
from register.telling import Step, Tell, Told

__all__ = [
    "AnswersWhileRegistered",
    "BlockTimes",
    "Judge",
    "Keeper",
    "Payer",
    "Plan",
    "Prepared",
    "RegisterContract",
    "Registrar",
    "Registration",
    "Step",
    "Tell",
    "Told",
    "Witness",
]
