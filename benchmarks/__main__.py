"""Runs the named benchmarks, or all: `python -m benchmarks [--quick] [--json] [NAME …]`. Exit code 3 when a goal is missed."""

import argparse
import importlib
import sys

from benchmarks.report import print_rows

NAMES = ("compute", "chain", "latency", "throughput", "receipts", "verify", "registration", "newcomer")
"""`compute`: guests. `chain`: localnet. `latency`, `throughput`: the worker on the local chain. `receipts`: what they cost.
`registration`: from a key in memory to a key on chain. `newcomer`: from a fresh clone to the end of the README's commands."""

MISSED = 3
"""Exit code; 1 is Python's for a defect, 2 argparse's for wrong usage."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: shows that it runs, not how fast it is")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    missed = False
    for name in options.names or NAMES:
        rows = importlib.import_module(f"benchmarks.{name}").run(quick=options.quick)
        print_rows(rows, as_json=options.json)
        missed = missed or any(row.ok is False for row in rows)
    return MISSED if missed else 0


if __name__ == "__main__":
    sys.exit(main())
