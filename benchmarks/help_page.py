"""`rivus --help` against an empty click program with a few commands: whole processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.figure import Figure, interleaved
from benchmarks.project import RIVUS, folder, seconds

CLICK = """\
import click


@click.group()
def main():
    "Nothing."


for name in ("run", "status", "jobs", "items"):
    main.command(name)(lambda: None)
main()
"""


def measures() -> Iterator[Figure]:
    """Median of 15 rounds."""
    with folder({"empty.py": CLICK}) as root:
        found = interleaved(
            15,
            {
                "rivus": lambda: seconds([RIVUS, "--help"], root),
                "click": lambda: seconds([sys.executable, "empty.py", "--help"], root),
            },
        )
    yield Figure(
        name="help",
        value=found["rivus"] * 1000,
        unit="ms",
        peer="click",
        peer_value=found["click"] * 1000,
        goal="ratio <= 2",
    )
