"""R4: a million attempts in virtual time, under every fault at once, judged by their history."""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.faults.goal import Goal, Lane, Reading
from tests.faults.simulation.run import replay, simulate
from tests.faults.simulation.world import Outcome

_EACH = 1_500


def _one(seed: int, each: int) -> Outcome:
    return simulate(seed, each)


def _all(seeds: range, each: int, wanted: float = math.inf) -> list[Outcome]:
    """Live through these seeds, in this order, up to the one with which `wanted` attempts are reached."""
    if len(seeds) < 8:
        return [_one(seed, each) for seed in seeds]
    found: list[Outcome] = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        for outcome in pool.map(partial(_one, each=each), seeds):
            found.append(outcome)
            if sum(one.executions for one in found) >= wanted:
                pool.shutdown(cancel_futures=True)
                break
    return found


def simulation(lane: Lane) -> Reading:
    each = _EACH if lane.deep else 500
    began = time.monotonic()
    wanted = lane.n(fast=1_000, deep=1_000_000)
    outcomes = _all(range(1_000, 1_000 + max(1, wanted // each)), each, wanted)
    seconds = time.monotonic() - began
    notes = [f"{outcome.problems[0]}: {replay(outcome.seed, each)}" for outcome in outcomes if outcome.problems]
    # The same seeds again: a history that differs means that something hangs on the machine, not on the seed.
    again = _all(range(1_000, 1_000 + lane.n(fast=1, deep=100)), 120 if lane.deep else 60)
    twice = _all(range(1_000, 1_000 + lane.n(fast=1, deep=100)), 120 if lane.deep else 60)
    same = sum(one.digest == other.digest for one, other in zip(again, twice, strict=True))
    if same != len(again):
        notes.append(f"{len(again) - same} seeds told another history the second time")
    executions = sum(outcome.executions for outcome in outcomes)
    faults = sum(sum(outcome.faults.values()) for outcome in outcomes)
    virtual = sum(outcome.virtual_s for outcome in outcomes)
    figure = (
        f"{executions:,} attempts of {len(outcomes)} seeds, {faults:,} faults, {virtual / seconds:,.0f} x real time, "
        f"same history {same}/{len(again)}"
    )
    return Reading(figure, not notes, tuple(notes[:5]))


GOALS = [Goal("R4", "simulated world", "0 of 9 rules broken, same seed same history", simulation, minutes=40)]
