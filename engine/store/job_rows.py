"""Rows of jobs as values for screens: counts from the counters, and why what waits, waits."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from engine.contracts.errors import NO_MODEL
from engine.contracts.states import ItemState, StageState
from engine.contracts.view import HoldView, JobView, RunView, StageView
from engine.rules.holds import HELD_MAX, BucketNow, ItemsHeld, ModelNow, QueueNow, ResourceNow, job_holds
from engine.rules.order import SLACK_MS, UNPRIORITISED_SLACK_MS
from engine.store import queues
from engine.store.sql import named, queries

_SQL = queries("views")

_SLACK = {"p0": SLACK_MS[0], "p1": SLACK_MS[1], "p2": SLACK_MS[2], "p3": SLACK_MS[3], "p_none": UNPRIORITISED_SLACK_MS}


class _Stages:
    """The stages of all jobs, with what limits them."""

    def __init__(self, connection: sqlite3.Connection, now: int) -> None:
        self.views: dict[int, list[StageView]] = defaultdict(list)
        self.queues: dict[int, list[QueueNow]] = defaultdict(list)
        self.oldest: dict[int, int] = {}
        counts: dict[int, dict[StageState, int]] = defaultdict(dict)
        for stage_id, state, n in connection.execute(_SQL.stage_counts):
            counts[stage_id][state] = n
        rows = named(connection, _SQL.stages, _SLACK)
        capacity = {name: (n, pace) for name, n, pace in connection.execute(_SQL.resources)}
        next_at: dict[str, int] = dict(connection.execute(_SQL.buckets))
        slowed: dict[str, int] = dict(connection.execute(_SQL.throttled))
        models = connection.execute(_SQL.models).fetchall()
        held: dict[str, int] = defaultdict(int)
        for row in rows:
            for name in json.loads(row["resources"]):
                held[name] += counts[row["id"]].get("running", 0)
        for row in rows:
            number, job_id, gate, enabled = row["id"], row["job_id"], row["gate"], bool(row["enabled"])
            resources = [resource for resource in json.loads(row["resources"]) if resource in capacity]
            paces = [(f"stage:{row['job']}.{row['name']}", row["pace"]), (f"job:{row['job']}", row["job_pace"])]
            paces += [(f"resource:{resource}", capacity[resource][1]) for resource in resources]
            throttled = [slowed.get(bucket, 0) for bucket in (f"number:{number}", *(name for name, _ in paces))]
            now_at = counts.get(number, {})
            later = connection.execute(_SQL.next_later_of_stage, (number,)).fetchone()[0] if "later" in now_at else None
            self.views[job_id].append(
                StageView(
                    name=row["name"],
                    position=row["position"],
                    handler=row["handler"],
                    after=tuple(json.loads(row["after"])),
                    gate=gate,
                    enabled=enabled,
                    concurrency=row["concurrency"],
                    counts=now_at,
                    id=number,
                    weight=str(queues.weight(connection, number, now))
                    if now_at.get("ready") and (row["job_pace"] or resources)
                    else None,
                    oldest_ready_at=row["ready_at"],
                )
            )
            self.queues[job_id].append(
                QueueNow(
                    stage=row["name"],
                    gate=gate,
                    enabled=enabled,
                    counts=now_at,
                    concurrency=row["concurrency"],
                    buckets=[BucketNow(pace=text, next_at=next_at.get(bucket)) for bucket, text in paces if text],
                    resources=[
                        ResourceNow(name=resource, held=held[resource], capacity=capacity[resource][0])
                        for resource in resources
                    ],
                    next_later_at=later,
                    model=None if row["model"] is None else _model_now(row["model"], models, now),
                    paused=row["paused_at"] is not None,
                    paused_why=row["paused_why"],
                    paused_until=row["paused_until"],
                    throttled_until=max(throttled) or None,
                )
            )
            if (ready_at := row["ready_at"]) is not None:
                self.oldest[job_id] = min(ready_at, self.oldest.get(job_id, ready_at))


def _model_now(
    alias: str, models: Sequence[tuple[str, str | None, str | None, int | None]], now: int
) -> ModelNow | None:
    """What keeps an alias ('': the first that can be asked) from being asked; None: nothing."""
    if not models:
        return ModelNow(why=NO_MODEL, until=None)
    rows = [row for row in models if alias in ("", row[0])]
    usable = [row for row in rows if row[1] is None]
    if not usable:
        why = rows[0][1] if rows else f"there is no model {alias}"
        return ModelNow(why=str(why), until=None)
    _, _, hold, until = usable[0]
    return ModelNow(why=hold, until=until) if hold is not None and (until or 0) > now else None


def read(connection: sqlite3.Connection, now: int) -> list[JobView]:
    """Every configured job in the order written; one consistent look."""
    connection.execute("BEGIN")
    try:
        rows = named(connection, _SQL.jobs)
        stages = _Stages(connection, now)
        item_counts = connection.execute(_SQL.item_counts).fetchall()
        told: dict[int, list[HoldView]] = defaultdict(list)
        for job_id, gate, why, until in connection.execute(_SQL.holds):
            told[job_id].append(HoldView(stage=None, gate=gate, why=why, until=until))
        held = {row["id"]: _held_items(connection, row["id"]) for row in rows}
        newest = [row["run_id"] for row in rows if row["run_id"]]
        runs = {number: run_view(connection.execute(_SQL.run, (number,)).fetchone()) for number in newest}
    finally:
        connection.execute("COMMIT")
    by_job: dict[int, dict[ItemState, int]] = defaultdict(lambda: defaultdict(int))
    by_source: dict[int, dict[ItemState, int]] = defaultdict(lambda: defaultdict(int))
    for job_id, source_id, state, n in item_counts:
        by_job[job_id][state] += n
        by_source[source_id][state] += n
    return [
        _job_view(
            row,
            stages,
            (by_source if row["is_check"] else by_job).get(row["id"], {}),
            runs,
            now,
            told[row["id"]],
            held[row["id"]],
        )
        for row in rows
    ]


def _held_items(connection: sqlite3.Connection, job_id: int) -> ItemsHeld | None:
    n, why = connection.execute(_SQL.held_items, {"job": job_id, "bound": HELD_MAX}).fetchone()
    return ItemsHeld(n=n, why=why) if n else None


def _job_view(
    row: sqlite3.Row,
    stages: _Stages,
    items: dict[ItemState, int],
    runs: dict[int, RunView],
    now: int,
    told: Sequence[HoldView],
    held: ItemsHeld | None,
) -> JobView:
    number, state, why, until = row["id"], row["state"], row["why"], row["paused_until"]
    return JobView(
        id=number,
        name=row["name"],
        title=row["title"],
        emoji=row["emoji"],
        internal=bool(row["internal"]),
        is_check=bool(row["is_check"]),
        findings_to=row["findings_to"],
        state=state,
        why=why,
        paused_until=until,
        paused_by=row["paused_by"],
        stages=tuple(stages.views.get(number, ())),
        items=dict(items),
        every_s=row["every_s"],
        cron=row["cron"],
        next_run_at=row["next_run_at"],
        last_run=runs.get(row["run_id"]),
        oldest_ready_at=stages.oldest.get(number),
        last_error=row["error"],
        holds=tuple(job_holds(state, why, stages.queues.get(number, ()), now, until=until, told=told, items=held)),
    )


def run_view(row: tuple[Any, ...]) -> RunView:
    """Make the view of a run from its row."""
    number, job, state, started_at, ended_at, found, new, changed, gone, problems, error, held_back = row
    return RunView(
        id=number,
        job=job,
        state=state,
        started_at=started_at,
        ended_at=ended_at,
        found=found,
        new=new,
        changed=changed,
        gone=gone,
        problems=problems,
        error=error,
        held_back=held_back,
    )
