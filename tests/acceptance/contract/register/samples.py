"""The real quotes with their collateral, valid from 2025-06-19 to 2025-07-19 (tests/vectors/quotes/README.md)."""

import json
from datetime import UTC, datetime
from pathlib import Path

_FOLDER = Path(__file__).parents[3] / "vectors/quotes"
TDX_FILE = (_FOLDER / "tdx_quote").read_bytes()
TDX_QUOTE = TDX_FILE[: 636 + int.from_bytes(TDX_FILE[632:636], "little")]
"""Without the zeros that the machine filled its buffer up with; clients cut them off."""
TDX_COLLATERAL = json.loads((_FOLDER / "tdx_quote_collateral.json").read_text())
TDX_FMSPC = "b0c06f000000"
SGX_QUOTE = (_FOLDER / "sgx_quote").read_bytes()
SGX_COLLATERAL = json.loads((_FOLDER / "sgx_quote_collateral.json").read_text())


def seconds(date):
    """Of a day of the year 2025, `06-25`."""
    return int(datetime.fromisoformat(f"2025-{date}").replace(tzinfo=UTC).timestamp())


WITHIN_S = seconds("06-25")
BEFORE_S = seconds("06-18")
AFTER_S = seconds("07-20")
