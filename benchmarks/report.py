"""One line a figure, each beside the reference it was measured with in the same run."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """
    A measured figure.

    `reference` names what `value` is compared with or how it was measured; `goal` is the line it should hold; `ok` is None where there is
    no goal.
    """

    name: str
    value: float
    unit: str
    reference: str
    goal: str | None = None
    ok: bool | None = None


def print_rows(rows: list[Row], *, as_json: bool) -> None:
    for row in rows:
        if as_json:
            print(json.dumps(asdict(row)), flush=True)
            continue
        verdict = {None: "    ", True: "ok  ", False: "MISS"}[row.ok]
        goal = f"  goal {row.goal}" if row.goal else ""
        print(f"{verdict} {row.name:<52} {row.value:>12,.2f} {row.unit:<10} [{row.reference}]{goal}", flush=True)
