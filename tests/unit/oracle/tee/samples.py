"""The quotes of real machines in `tests/vectors/quotes`, with the moment at which their collateral is good."""

from pathlib import Path

from oracle.tee.collateral import Collateral
from oracle.tee.quote import read_quote

QUOTES = Path(__file__).parents[3] / "vectors" / "quotes"
AT_S = 1_750_860_000
"""2025-06-25."""


def sample_file(kind):
    return (QUOTES / f"{kind}_quote").read_bytes()


def sample_quote(kind):
    return read_quote(sample_file(kind))


def sample_collateral_text(kind):
    return (QUOTES / f"{kind}_quote_collateral.json").read_text()


def sample_collateral(kind):
    return Collateral.from_json(sample_collateral_text(kind))
