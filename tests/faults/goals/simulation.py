"""R4: a million attempts in virtual time, under every fault at once, judged by their history."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.faults.goal import Goal, Lane, Reading
from tests.faults.simulation.run import replay, simulate
from tests.faults.simulation.world import Outcome

_FIRST = 1_000
_EACH = 4_000
_STUCK_S = 900.0
"""A world of so many attempts takes 10 to 20 s on one core; one without an end would stop the whole lane, unseen."""
_TOLD = 100_000
"""After so many attempts a line tells how far it is: the deep lane takes most of an hour."""


def _worlds(seeds: range, each: int) -> Iterator[Outcome | int]:
    """Live through these seeds, in this order; the number of the first that does not end, and nothing after it."""
    if len(seeds) < 8:
        yield from (simulate(seed, each) for seed in seeds)
        return
    pool = ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn"))
    try:
        for seed, future in [(seed, pool.submit(simulate, seed, each)) for seed in seeds]:
            try:
                yield future.result(_STUCK_S)
            except TimeoutError:
                yield seed
                return
    finally:
        processes = list(pool._processes.values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()


def _lived(each: int, wanted: int) -> tuple[list[Outcome], list[str]]:
    """Worlds until this many attempts were seen; and what is wrong with them, each with the command that tells it."""
    outcomes: list[Outcome] = []
    wrong: list[str] = []
    seen = 0
    for outcome in _worlds(range(_FIRST, _FIRST + max(1, wanted // each)), each):
        if isinstance(outcome, int):
            return outcomes, [*wrong, f"no end after {_STUCK_S:.0f} s: {replay(outcome, each)}"]
        outcomes.append(outcome)
        wrong += [f"{problem}: {replay(outcome.seed, each)}" for problem in outcome.problems[:1]]
        before, seen = seen, seen + outcome.executions
        if seen // _TOLD > before // _TOLD:
            sys.stderr.write(f"R4: {seen:,} attempts, {len(outcomes)} worlds, {len(wrong)} of them wrong\n")
    return outcomes, wrong


def simulation(lane: Lane) -> Reading:
    each = _EACH if lane.deep else 500
    began = time.monotonic()
    outcomes, wrong = _lived(each, lane.n(fast=1_000, deep=1_000_000))
    seconds = time.monotonic() - began
    # The same seeds again: a history that differs means that something hangs on the machine, not on the seed.
    n = lane.n(fast=1, deep=100)
    again = range(_FIRST - n // 2, _FIRST - n // 2 + n)
    once, twice = (list(_worlds(again, 120 if lane.deep else 60)) for _ in range(2))
    same = sum(
        isinstance(one, Outcome) and isinstance(other, Outcome) and one.digest == other.digest
        for one, other in zip(once, twice, strict=False)
    )
    if same != len(again):
        wrong.append(f"{len(again) - same} seeds told another history the second time, or none")
    executions = sum(outcome.executions for outcome in outcomes)
    faults = sum(sum(outcome.faults.values()) for outcome in outcomes)
    virtual = sum(outcome.virtual_s for outcome in outcomes)
    figure = (
        f"{executions:,} attempts of {len(outcomes)} worlds, {faults:,} faults, {len(wrong)} broken, "
        f"{virtual / seconds:,.0f} x real time, same history {same}/{len(again)}"
    )
    return Reading(figure, not wrong, tuple(wrong[:5]))


GOALS = [Goal("R4", "simulated world", "0 of 9 rules broken, same seed same history", simulation, minutes=25)]
