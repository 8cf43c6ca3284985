"""What work would cost and take: so many item stages, at what the newest of their kind cost and took."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from statistics import median
from typing import Final

from engine.contracts.bulk import Forecast
from engine.store.sql import queries

_SQL = queries("forecasts")

_PACE: Final = re.compile(r"([\d.e+-]+)/(?:([smhd])\b|([\d.e+-]+)s)")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def price(connection: sqlite3.Connection, stage: int) -> tuple[int, int]:
    """Return the median time (ms) and cost (micro-dollars) of the newest results of a stage; 0 for what is unknown."""
    found = _price(connection, stage)
    return (0, 0) if found is None else found


def _price(connection: sqlite3.Connection, stage: int) -> tuple[int, int] | None:
    rows = connection.execute(_SQL.newest_results, {"stage": stage}).fetchall()
    times = [row[0] for row in rows if row[0] is not None]
    if not rows:
        return None
    return round(median(times)) if times else 0, round(median(row[1] for row in rows))


def forecast(connection: sqlite3.Connection, work: Mapping[int, int]) -> Forecast:
    """Forecast `work`: item stages to run, by the number of their stage."""
    usd = ms = 0.0
    unknown: list[str] = []
    for stage, n in work.items():
        row = connection.execute(_SQL.stage, (stage,)).fetchone()
        if row is None or not n:
            continue
        name, slots, *paces = row
        found = _price(connection, stage)
        each_ms, each_usd = found or (0, 0)
        if found is None:
            unknown.append(name)
        usd += n * each_usd
        # Stages work side by side: the slowest one decides.
        ms = max(ms, n * each_ms / slots, *(n * _interval_ms(pace) for pace in paces if pace))
    return Forecast(usd_micros=round(usd), ms=round(ms), unknown=tuple(unknown))


def of_job(connection: sqlite3.Connection, job: int) -> Forecast:
    """Forecast what a job has before it by itself: what is ready, runs, or waits for its turn."""
    return forecast(connection, dict(connection.execute(_SQL.open_of_job, {"job": job}).fetchall()))


def _interval_ms(pace: str) -> float:
    """Return the time between two grants of a pace as it is stored, such as `60/h, burst 5`."""
    match = _PACE.match(pace)
    if match is None:
        return 0.0
    seconds = _SECONDS[match[2]] if match[2] else float(match[3])
    return 1000 * seconds / float(match[1])
