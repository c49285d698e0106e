"""The worker: watches the chain, performs what `oracle.job` decides, and stops cleanly."""

from oracle.worker.parts import Parts, Place, Slots
from oracle.worker.shell import Worker

__all__ = ["Parts", "Place", "Slots", "Worker"]
