"""Ten years of schedules on a manual clock, held against `tests.faults.oracle`."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from engine.contracts.spec import DiscoverySpec
from engine.contracts.steering import RecurSpec
from engine.kit.clock import ManualClock
from engine.rules.schedule import next_run
from engine.store import jobs, recurrence
from tests.factories import Ground, finished, job, stage
from tests.faults.oracle import ZONES, after, cron_times, first_minute, some_cron

_START = date(2026, 1, 1)
_DAY_MS = 86_400_000
_LATE_S = (0.1, 2.0, 50.0, 900.0, 3_000.0, 5_400.0, 7_200.0, 8 * 3_600.0)
"""How late a run may be noticed: at once, after a busy moment, after a sleep."""


def by_rule(schedules: int, days: int, chance: random.Random) -> tuple[int, list[str]]:
    """Follow cron schedules, with runs that are late: each next time is the one that the calendar says."""
    found: list[str] = []
    runs = 0
    for _ in range(schedules):
        spec, zone = DiscoverySpec(use="x.y", cron=some_cron(chance)), ZoneInfo(chance.choice(ZONES))
        assert spec.cron is not None
        times = cron_times(spec.cron, zone, _START, days)
        now = _ms(datetime(2026, 1, 2, 12, tzinfo=UTC))
        while (want := after(times, now)) is not None and want < times[-1] - 3 * _DAY_MS:
            runs += 1
            if (got := next_run(spec, now, zone)) != want:
                found.append(f"{spec.cron} in {zone.key} after {_told(now, zone)}: {got and _told(got, zone)}")
            now = want + round(chance.choice(_LATE_S) * 1000)
    return runs, found


_CRONS = ("30 0 * * *", "0 6 * * 1", "15 0 1 * *", "0 12 13 * 5")
_BOOT_MS = 3_650 * _DAY_MS
"""How far ahead a clock is that lost its battery."""


def by_store(folder: Path, days: int, chance: random.Random) -> tuple[int, list[str]]:
    """Let recurring items end and come back in a state file, noticed late, on a clock that is also set."""
    zone = ZoneInfo("America/Havana")
    recurs = {f"cron{n}": RecurSpec(cron=cron) for n, cron in enumerate(_CRONS)}
    recurs |= {"day": RecurSpec(each="day"), "week": RecurSpec(each="week"), "hours": RecurSpec(after_s=36 * 3_600.0)}
    ground = Ground(folder, *(job(name, stage("work"), recur=recur) for name, recur in recurs.items()))
    specs = [one.spec for one in ground.plan.jobs.values()]
    ground.plan, _ = ground.do(partial(jobs.sync, timezone=zone.key), specs, ground.now)
    clock = ground.clock
    assert isinstance(clock, ManualClock)
    calendars = {
        name: cron_times(recur.cron, zone, _START, days + 5_000) for name, recur in recurs.items() if recur.cron
    }
    for name in recurs:
        ground.add("it", job=name)
    runs, found = 0, list[str]()
    end = ground.now + days * _DAY_MS
    wrong_at = ground.now + days * _DAY_MS // 2
    is_wrong = False
    while ground.now < end or is_wrong:
        for name in recurs:
            for claim in ground.claim(job=name):
                ground.end(finished(claim))
                runs += 1
                want = _wanted(recurs[name], calendars.get(name), ground.now, zone)
                if (got := ground.item("it", name)["next_due_at"]) != want:
                    found.append(f"{name} after {_told(ground.now, zone)}: {got and _told(got, zone)}")
        next_at = ground.do(recurrence.next_time)
        if next_at is None:
            return runs, [*found, "nothing comes back any more"]
        if is_wrong:
            # The clock is right again: within two turns of each, everything has come back.
            clock.set(-_BOOT_MS)
            ground.do(recurrence.set_back, ground.plan, _BOOT_MS, ground.now)
            is_wrong, wrong_at = False, 2**62
            stuck = ground.rows("SELECT key, next_due_at FROM items WHERE next_due_at > ?", ground.now + 400 * _DAY_MS)
            found += [f"{row['key']} waits for a time that a wrong clock showed" for row in stuck]
            continue
        if ground.now > wrong_at:
            clock.set(_BOOT_MS)
            is_wrong = True
        else:
            late = round(chance.choice(_LATE_S) * 1000)
            clock.advance(max(0, next_at + late - ground.now) / 1000)
        if chance.random() < 0.02:
            clock.set(chance.choice((-3_600_000, 3_600_000)))
        ground.do(recurrence.bring_back, ground.plan, ground.now)
    ground.close()
    return runs, found


def _wanted(recur: RecurSpec, calendar: list[int] | None, now: int, zone: ZoneInfo) -> int | None:
    """When an item that ended now comes back."""
    if calendar is not None:
        return after(calendar, now)
    if recur.after_s is not None:
        return now + round(recur.after_s * 1000)
    today = datetime.fromtimestamp(now / 1000, zone).date()
    next_day = today + timedelta(days=1 if recur.each == "day" else 7 - today.weekday())
    return first_minute(next_day, zone)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _told(at: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at / 1000, zone).isoformat()
