"""Durable jobs, the cursor and the journal of signed transactions."""

from oracle.store.sqlite import SqliteJobs

__all__ = ["SqliteJobs"]
