"""Measure what is promised: `python -m tests.faults [--deep] [--share F] [CODE ...]`; one line a goal, when it ends.

Each goal runs in a process of its own, one more side by side than there are cores, because many of them wait; those
that measure times on an idle machine run alone, and first.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

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


def report(goal: Goal, lane: Lane) -> tuple[bool, str]:
    """Measure here; returns whether it holds, and its line with what to look at if not."""
    began = time.monotonic()
    reading = measured(goal, lane)
    holds = reading.ok or reading.skipped
    told = [line(goal, reading, time.monotonic() - began)]
    told += [] if holds else [f"     {note}" for note in reading.notes]
    return holds, "\n".join(told)


def _apart(goal: Goal, lane: Lane) -> tuple[bool, str]:
    """The same in a process of its own."""
    deep = ["--deep", "--share", str(lane.share)] if lane.deep else []
    command = [sys.executable, "-m", "tests.faults", *deep, goal.code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    broke = f"{goal.code:<4} {goal.title}: its process ended with {done.returncode}  fail"
    return done.returncode == 0, done.stdout.rstrip("\n") or broke


def reports(chosen: Sequence[Goal], lane: Lane, beside: int) -> Iterator[tuple[bool, str]]:
    """Measure all; yields each when it ends."""
    for goal in chosen:
        if goal.alone:
            yield _apart(goal, lane)
    longest_first = sorted((goal for goal in chosen if not goal.alone), key=lambda goal: -goal.minutes)
    with ThreadPoolExecutor(beside) as pool:
        for ended in as_completed([pool.submit(_apart, goal, lane) for goal in longest_first]):
            yield ended.result()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deep", action="store_true", help="the whole counts; without it the fast lane")
    parser.add_argument("--share", type=float, default=1.0, help="part of the deep lane's counts")
    parser.add_argument("--beside", type=int, default=(os.cpu_count() or 1) + 1, help="how many goals run side by side")
    parser.add_argument("codes", nargs="*", help="goals to measure; all without any")
    asked = parser.parse_args()
    lane = Lane(asked.deep, asked.share)
    chosen = [goal for goal in all_goals() if not asked.codes or goal.code in asked.codes]
    began = time.monotonic()
    failed = 0
    one = [report(goal, lane) for goal in chosen] if len(chosen) == 1 else None
    for holds, told in one or reports(chosen, lane, asked.beside):
        failed += not holds
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()
    if len(chosen) > 1:
        minutes = (time.monotonic() - began) / 60
        sys.stdout.write(f"{len(chosen)} goals in {minutes:.1f} minutes, {failed} failed\n")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
