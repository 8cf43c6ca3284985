"""R13: schedules while clocks are set, summer time comes and goes and the machine sleeps; in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from engine.contracts.item import Candidate
from engine.contracts.spec import DiscoverySpec, JobSpec, ProjectSpec, Settings, StageSpec
from engine.runtime import Runtime
from engine.store.migrate import prepare
from engine.store.state_dir import StateDir
from tests.faults.calendar import by_rule, by_store
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.simulation.loop import VirtualClock, VirtualLoop
from tests.faults.simulation.patience import patient
from tests.faults.simulation.run import quietly
from tests.faults.simulation.store import InlineDatabase

_ZONE = ZoneInfo("Europe/Berlin")
_DAY_S = 86_400.0
_EVERY = {"minutes": 600.0, "hourly": 3_600.0, "daily": _DAY_S}
_CRON = {"night": "30 2 * * *", "noon": "0 12 * * *", "weekly": "15 6 * * 1"}
_SLACK_S = 130.0
"""Two looks of the loop that wakes what is due."""
_JUMPS = (("back", -3_600_000, 0.0), ("forth", 3_600_000, 0.0), ("sleep", 0, 8 * 3_600.0), ("sleep", 0, 300.0))
_YEARS_MS = 3_650 * 86_400_000
_STARTS = ("2026-03-26", "2026-10-22", "2027-12-28", "2028-02-26")
"""Days before summer time begins and ends, a year ends, and a day comes that most years have not."""
_modules = itertools.count()


def clocks(lane: Lane) -> Reading:
    with quietly(), patient(), tempfile.TemporaryDirectory(prefix="rivus-clocks-") as folder:
        found, figure = _lives(Path(folder), lane.n(fast=1, deep=60))
        days = lane.n(fast=150, deep=3_650)
        turns, wrong = by_rule(lane.n(fast=15, deep=200), days, random.Random(13))
        found += wrong
        back, wrong = by_store(Path(folder) / "store", days, random.Random(13))
        found += wrong
    figure += f"; {turns:,} turns by cron and {back:,} of items in {days:,} days as the calendar says"
    return readings(found, f"{figure}; {len(found)} wrong")


def _lives(folder: Path, days: int) -> tuple[list[str], str]:
    """Live so many days in all, through each of the starts."""
    found: list[str] = []
    runs = jumps = 0
    starts = _STARTS[:days]
    for start in starts:
        wrong, ran, jumped = _live(folder / start, start, days // len(starts))
        found += [f"from {start}: {one}" for one in wrong]
        runs, jumps = runs + ran, jumps + jumped
    return found, f"{runs:,} runs of {len(_EVERY) + len(_CRON)} schedules in {days} days, {jumps} jumps"


def _live(folder: Path, start: str, days: int) -> tuple[list[str], int, int]:
    chance = random.Random(start)
    clock = VirtualClock(round(datetime.fromisoformat(f"{start}T06:00").replace(tzinfo=_ZONE).timestamp() * 1000))
    loop = VirtualLoop(chance)
    clock.run_on(loop)
    asyncio.set_event_loop(loop)
    runs: dict[str, list[tuple[float, int]]] = defaultdict(list)
    jumps: list[tuple[float, str]] = []

    async def find(ctx: Any) -> AsyncIterator[Candidate]:
        runs[ctx.job].append((clock.monotonic(), clock.now()))
        return
        yield

    name = f"clocks_{next(_modules)}"
    module = sys.modules[name] = ModuleType(name)
    vars(module)["find"] = find
    try:
        main = loop.create_task(_engine(folder, clock, loop, name, days, chance, jumps))
        main.add_done_callback(lambda _task: loop.stop())
        loop.run_forever()
        main.result()
    finally:
        loop.bury()
        asyncio.set_event_loop(None)
        loop.close()
        del sys.modules[name]
    return _judge(runs, jumps, clock.monotonic()), sum(map(len, runs.values())), len(jumps)


async def _engine(
    folder: Path,
    clock: VirtualClock,
    loop: VirtualLoop,
    module: str,
    days: int,
    chance: random.Random,
    jumps: list[Any],
) -> None:
    state = StateDir(folder / "state")
    state.create()
    prepare(state.database)
    stage = StageSpec(name="a", handler=f"{module}.find", is_async=True)
    schedules = [(name, DiscoverySpec(use=f"{module}.find", every_s=every)) for name, every in _EVERY.items()]
    schedules += [(name, DiscoverySpec(use=f"{module}.find", cron=cron)) for name, cron in _CRON.items()]
    jobs = tuple(JobSpec(name=name, title=name, discovery=one, stages=(stage,)) for name, one in schedules)
    project = ProjectSpec(root=folder, source=None, settings=Settings(timezone=_ZONE.key, free_disk_bytes=0), jobs=jobs)
    runtime = Runtime(
        project=project, state=state, clock=clock, chance=chance,
        open_database=InlineDatabase.opener(clock.now, lambda: 0.001, lambda _database: None),
    )  # fmt: skip
    await runtime.start()
    until = loop.time() + days * _DAY_S
    while loop.time() < until:
        await asyncio.sleep(chance.uniform(0.3, 1.5) * _DAY_S)
        if chance.random() < 0.2:
            # Ten years ahead for an hour.
            jumps.append((clock.monotonic(), "forth"))
            clock.set(_YEARS_MS)
            await asyncio.sleep(3_600)
            jumps.append((clock.monotonic(), "back"))
            clock.set(-_YEARS_MS)
            continue
        what, wall, pause = chance.choice(_JUMPS)
        jumps.append((clock.monotonic(), what))
        clock.set(wall)
        loop.stall(pause)
    await runtime.stop(grace_s=0.0)


def _judge(runs: dict[str, list[tuple[float, int]]], jumps: list[tuple[float, str]], end: float) -> list[str]:
    found = []
    for name, every in _EVERY.items():
        for (at, _), (then, _) in itertools.pairwise([*runs[name], (end, 0)]):
            between = [what for when, what in jumps if at - _SLACK_S <= when <= then]
            slept = 8 * 3_600.0 * between.count("sleep")
            # A clock that is set back may hold a run for one more interval, and no longer.
            if then - at > every * (1 + between.count("back")) + slept + _SLACK_S:
                found.append(f"{name}: nothing for {then - at:.0f} s at {at:.0f}")
            if then - at < every - _SLACK_S and "forth" not in between and then != end:
                found.append(f"{name}: again after {then - at:.0f} s at {at:.0f}")
    for name in _CRON:
        days: dict[str, int] = defaultdict(int)
        for _, wall in runs[name][1:]:  # the first is that of a new schedule, at once
            days[datetime.fromtimestamp(wall / 1000, _ZONE).date().isoformat()] += 1
        backs = sum(what == "back" for _, what in jumps)
        if sum(n - 1 for n in days.values()) > backs:
            found.append(f"{name}: twice on {[day for day, n in days.items() if n > 1][:3]}")
    lived = int(end // _DAY_S)
    for name, each in (("night", 1), ("noon", 1), ("weekly", 7)):
        if len(runs[name]) < lived // each - 1:
            found.append(f"{name}: {len(runs[name])} runs in {lived} days")
    return found


GOALS = [Goal("R13", "clocks", "0 double runs, 0 missed, none stuck", clocks, minutes=6)]
