"""HTTP out: one client for whatever strangers name, with addresses, sizes and times bounded."""

from oracle.net.fetch import Fetcher

__all__ = ["Fetcher"]
