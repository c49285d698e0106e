"""Durable jobs, the cursor and the journal of signed transactions."""

from oracle.store.queries import Kept
from oracle.store.sqlite import SqliteJobs

__all__ = ["Kept", "SqliteJobs"]
