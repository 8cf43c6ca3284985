"""Measure what is promised: `python -m tests.faults [--deep] [--share F] [CODE ...]`; one line a goal."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
import traceback

from tests.faults import goals
from tests.faults.goal import Goal, Lane, Reading


def all_goals() -> list[Goal]:
    """Every goal, by code."""
    found: list[Goal] = []
    for module in pkgutil.iter_modules(goals.__path__):
        found += importlib.import_module(f"tests.faults.goals.{module.name}").GOALS
    return sorted(found, key=lambda goal: (goal.code[0], int(goal.code[1:])))


def measured(goal: Goal, lane: Lane) -> Reading:
    """Measure; a goal that breaks down has failed."""
    try:
        return goal.measure(lane)
    except Exception as error:
        return Reading(f"{type(error).__name__}: {error}"[:200], ok=False, notes=(traceback.format_exc(),))


def line(goal: Goal, reading: Reading, seconds: float) -> str:
    """The goal's line: code, figure, limit, verdict."""
    verdict = "skip" if reading.skipped else "pass" if reading.ok else "fail"
    return f"{goal.code:<4} {goal.title}: {reading.figure}  [goal: {goal.limit}]  {seconds:.1f} s  {verdict}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deep", action="store_true", help="the whole counts; without it the fast lane")
    parser.add_argument("--share", type=float, default=1.0, help="part of the deep lane's counts")
    parser.add_argument("codes", nargs="*", help="goals to measure; all without any")
    asked = parser.parse_args()
    lane = Lane(asked.deep, asked.share)
    chosen = [goal for goal in all_goals() if not asked.codes or goal.code in asked.codes]
    failed = 0
    for goal in chosen:
        began = time.monotonic()
        reading = measured(goal, lane)
        failed += not reading.ok and not reading.skipped
        sys.stdout.write(line(goal, reading, time.monotonic() - began) + "\n")
        for note in () if reading.ok or reading.skipped else reading.notes:
            sys.stdout.write(f"     {note}\n")
        sys.stdout.flush()
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
