"""The worker's own read-only HTTP: health, metrics, and the requests it knows."""

from oracle.status.job_view import job_json
from oracle.status.server import StatusServer

__all__ = ["StatusServer", "job_json"]
