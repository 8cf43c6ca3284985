"""Tell one seed again: `python -m tests.faults.simulation --seed N [--executions N] [--tell ITEM]`."""

from __future__ import annotations

import argparse
import sys

from tests.faults.simulation.run import simulate


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--executions", type=int, default=2_000)
    parser.add_argument("--tell", type=int, help="number of an item whose every change is printed")
    asked = parser.parse_args()
    outcome = simulate(asked.seed, asked.executions, tell=asked.tell)
    for row in outcome.told:
        sys.stdout.write(f"{row}\n")
    for problem in outcome.problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(
        f"seed {outcome.seed}: {outcome.executions} executions in {outcome.virtual_s:.0f} s of virtual time, "
        f"history {outcome.digest[:16]}, {dict(outcome.faults)}\n"
    )
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
