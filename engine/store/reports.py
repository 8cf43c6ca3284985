"""Reports for people, from sums: the cost of a report follows from hours and stages, never from the number of items."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from engine.contracts.report import JobReport, ModelReport, StageReport
from engine.contracts.view import JobView, StageView
from engine.rules.rollup import HOUR_MS, hour, hours_left, percentile
from engine.store.sql import queries

_SQL = queries("rollups")

_PACE_MS: Final = 24 * HOUR_MS
_OPEN: Final = ("blocked", "ready", "running", "later")
_TRIED: Final = ("done", "failed", "retried")


class _Ended:
    """How attempts of one stage ended."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.durations: Counter[int] = Counter()
        self.usd_micros = 0


def read(connection: sqlite3.Connection, jobs: Sequence[JobView], since: int, now: int) -> list[JobReport]:
    """Reports of these jobs from `since` (ms UTC, by the hour) on."""
    begin = hour(since)
    ended: dict[int, _Ended] = defaultdict(_Ended)
    for stage_id, outcome, bucket, n, cost in connection.execute(_SQL.ended, {"since": begin}):
        found = ended[stage_id]
        found.counts[outcome] += n
        found.usd_micros += cost
        if outcome == "done":
            found.durations[bucket] += n
    pace = {
        stage_id: n / max(1.0, (now - first) / HOUR_MS)
        for stage_id, n, first in connection.execute(_SQL.recent, {"since": hour(now - _PACE_MS)})
    }
    spent: dict[int, Counter[str]] = defaultdict(Counter)
    for job_id, at, cost in connection.execute(_SQL.spent, {"since": begin}):
        spent[job_id][datetime.fromtimestamp(at / 1000).date().isoformat()] += cost
    models: dict[int, list[ModelReport]] = defaultdict(list)
    for job_id, model, calls, failed, cost in connection.execute(_SQL.models, {"since": begin}):
        models[job_id].append(ModelReport(model=model, calls=calls, failed=failed, usd_micros=cost))
    return [_job(view, ended, pace, spent[view.id], models[view.id], begin) for view in jobs]


def _job(
    view: JobView,
    ended: dict[int, _Ended],
    pace: dict[int, float],
    spent: Counter[str],
    models: list[ModelReport],
    since: int,
) -> JobReport:
    stages = tuple(_stage(stage, ended[stage.id], pace.get(stage.id, 0.0)) for stage in view.stages)
    open_now = {stage.id: one.open for stage, one in zip(view.stages, stages, strict=True)}
    hours = hours_left(open_now, pace) if any(open_now.values()) else None
    needed = {name for stage in view.stages for name in stage.after}
    last = [stage for stage in stages if stage.stage not in needed]
    passed = max((stage.ended.get("done", 0) for stage in last), default=0)
    cost = sum(spent.values())
    return JobReport(
        job=view.name,
        since=since,
        items={str(state): n for state, n in view.items.items()},
        stages=stages,
        models=tuple(models),
        eta_s=None if hours is None else hours * 3_600,
        usd_micros=cost,
        per_day=dict(spent),
        per_item_usd_micros=cost / passed if passed else None,
    )


def _stage(view: StageView, ended: _Ended, per_hour: float) -> StageReport:
    tried = sum(ended.counts[outcome] for outcome in _TRIED)
    return StageReport(
        stage=view.name,
        ended=dict(ended.counts),
        p50_ms=percentile(ended.durations, 0.5),
        p95_ms=percentile(ended.durations, 0.95),
        success=ended.counts["done"] / tried if tried else None,
        per_hour=per_hour,
        open=sum(view.counts.get(state, 0) for state in _OPEN),
        oldest_ready_at=view.oldest_ready_at,
        usd_micros=ended.usd_micros,
    )
