"""Run the measures that are named, or all, and print what they found."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Final

from benchmarks.figure import Figure

MEASURES: Final = {
    "help": "help_page",
    "first-paint": "first_paint",
    "serve-ready": "serve_ready",
    "imports": "imports",
    "w1": "w1",
    "w1-processes": "plain",
    "w2": "w2",
    "w3": "w3",
    "w4": "w4",
    "w5": "w5",
    "claim-1m": "claim_1m",
    "bulk-100k": "bulk_100k",
    "memory": "memory",
    "soak": "soak",
    "idle": "idle",
    "room": "control_room",
    "agree": "agree",
    "terminal-peers": "terminal_peers",
    "model-call": "model_call",
    "fingerprint": "fingerprints",
}
"""Name on the command line → module."""


def main(names: list[str]) -> int:
    """Print a JSON object a figure on stdout and a table on stderr; exit code 2 for an unknown name."""
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        print(f"no measure `{unknown[0]}`; there are: {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or MEASURES:
        module = importlib.import_module(f"benchmarks.{MEASURES[name]}")
        for figure in module.measures():
            figures.append(figure)
            print(json.dumps(figure.row()), flush=True)
    _table(figures)
    return 0


def _table(figures: list[Figure]) -> None:
    head = ("MEASURE", "SETTING", "VALUE", "", "PEER", "PEER'S", "RATIO", "GOAL")
    rows: list[tuple[str, ...]] = [head]
    for one in figures:
        if one.skipped is not None:
            rows.append((one.name, f"skipped: {one.skipped}", *[""] * 6))
            continue
        numbers = ["" if value is None else f"{value:,.4g}" for value in (one.value, one.peer_value, one.ratio)]
        rows.append(
            (one.name, one.setting or "", numbers[0], one.unit, one.peer or "", numbers[1], numbers[2], one.goal)
        )
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip(), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
