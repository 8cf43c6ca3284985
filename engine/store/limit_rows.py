"""What limits work, as rows for a screen: shared resources, paces, and slots of busy stages, with who uses them."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from engine.contracts.view import LimitUse, LimitView
from engine.rules.order import SLACK_MS, UNPRIORITISED_SLACK_MS
from engine.store.sql import queries

_SQL = queries("views")

_SLACK = {"p0": SLACK_MS[0], "p1": SLACK_MS[1], "p2": SLACK_MS[2], "p3": SLACK_MS[3], "p_none": UNPRIORITISED_SLACK_MS}


def read(connection: sqlite3.Connection) -> list[LimitView]:
    """Every resource, every pace, and the slots of stages where something runs or waits; one consistent look."""
    connection.execute("BEGIN")
    try:
        counts: dict[int, dict[str, int]] = defaultdict(dict)
        for stage_id, state, n in connection.execute(_SQL.stage_counts):
            counts[stage_id][state] = n
        stages = connection.execute(_SQL.limited_stages, _SLACK).fetchall()
        resources = connection.execute(_SQL.resources).fetchall()
        next_at: dict[str, int] = dict(connection.execute(_SQL.buckets))
        set_by_hand = {(kind, name): told for kind, name, told in connection.execute(_SQL.adjustments)}
    finally:
        connection.execute("COMMIT")
    uses: dict[str, list[LimitUse]] = defaultdict(list)
    paces: dict[str, str] = {f"resource:{name}": pace for name, _, pace in resources if pace}
    slots: list[LimitView] = []
    for number, name, job, concurrency, pace, job_pace, raw_resources, ready_at in stages:
        use = LimitUse(
            job=job,
            stage=name,
            running=counts[number].get("running", 0),
            ready=counts[number].get("ready", 0),
            ready_since=ready_at,
        )
        for resource in json.loads(raw_resources):
            uses[f"resource:{resource}"].append(use)
        for bucket, text in ((f"stage:{job}.{name}", pace), (f"job:{job}", job_pace)):
            if text:
                paces[bucket] = text
                uses[bucket].append(use)
        if use.running or use.ready or ("slots", f"{job}.{name}") in set_by_hand:
            slots.append(
                LimitView(
                    name=f"{job}.{name}", kind="slots", capacity=concurrency, held=use.running, pace=None,
                    next_at=None, uses=(use,),
                )
            )  # fmt: skip
    found = [
        LimitView(
            name=name, kind="resource", capacity=capacity,
            held=sum(use.running for use in uses[f"resource:{name}"]), pace=pace,
            next_at=next_at.get(f"resource:{name}"), uses=tuple(uses[f"resource:{name}"]),
        )
        for name, capacity, pace in resources
    ]  # fmt: skip
    found += [
        LimitView(
            name=bucket.partition(":")[2], kind="pace", capacity=None, held=0, pace=pace,
            next_at=next_at.get(bucket), uses=tuple(uses[bucket]),
        )
        for bucket, pace in paces.items()
        if not bucket.startswith("resource:")
    ]  # fmt: skip
    if not set_by_hand:
        return [*found, *slots]
    return [replace(limit, instead_of=_instead_of(limit, set_by_hand)) for limit in (*found, *slots)]


def _instead_of(limit: LimitView, set_by_hand: Mapping[tuple[str, str], str]) -> str | None:
    kinds = ("resource", "resource pace") if limit.kind == "resource" else (limit.kind,)
    told = [set_by_hand[kind, limit.name] for kind in kinds if (kind, limit.name) in set_by_hand]
    return ", ".join(told) if told else None
