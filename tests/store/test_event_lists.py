"""Events of a scope, of a stage and of an incident: the right ones in order, read from where an index points."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.contracts.view import EVENTS_LOOKED_AT, EventView
from engine.store import sql
from engine.store.events import Event, record
from engine.store.reader import Reader
from tests.factories import Ground, job, stage
from tests.store.test_sql import explain


@pytest.fixture
def many(make_ground: Callable[..., Ground]) -> Iterator[tuple[Ground, Reader]]:
    """Two jobs of the user and one of the engine's, with events in turns, and a few of no job."""
    ground = make_ground(job("docs", stage("read"), stage("outline")), job("feeds"), job("todos", internal=True))
    ground.do(record, [Event(kind="engine.started", text="begins")], ground.now)
    for number in range(30):
        names = ("docs", "feeds", "docs", "todos")
        ground.do(record, [of(ground, names[number % 4], f"event {number}")], ground.now)
    ground.do(record, [Event(kind="engine.stopped", text="ends")], ground.now)
    reader = Reader(ground.state, project="test")
    yield ground, reader
    reader.close()


def of(ground: Ground, name: str, text: str, stage_id: int | None = None, **more: Any) -> Event:
    return Event(kind=more.pop("kind", "stage.done"), job_id=ground.job(name).id, stage_id=stage_id, text=text, **more)


def ids(events: list[EventView]) -> list[int]:
    return [event.id for event in events]


def test_each_event_is_in_one_scope_and_what_is_about_no_job_is_internal(many: tuple[Ground, Reader]) -> None:
    _, reader = many
    everything = ids(reader.events_after(0, 1_000))
    external = reader.events_after(0, 1_000, scope="external")
    internal = reader.events_after(0, 1_000, scope="internal")
    assert sorted(ids(external) + ids(internal)) == everything
    assert {event.job for event in external} == {"docs", "feeds"}
    assert {event.job for event in internal} == {"todos", None}


@pytest.mark.parametrize("scope", ["external", "internal"])
def test_scope_is_paged_both_ways_and_counted(many: tuple[Ground, Reader], scope: Any) -> None:
    _, reader = many
    whole = ids(reader.events_after(0, 1_000, scope=scope))
    assert reader.events_count(scope=scope) == len(whole)
    newest_first: list[int] = []
    while page := ids(reader.events_page(newest_first[-1] if newest_first else None, 3, scope=scope)):
        newest_first += page
    assert newest_first == whole[::-1]
    oldest_first: list[int] = []
    while page := ids(reader.events_after(oldest_first[-1] if oldest_first else 0, 3, scope=scope)):
        oldest_first += page
    assert oldest_first == whole


def test_job_by_itself_is_read_whatever_the_scope(many: tuple[Ground, Reader]) -> None:
    _, reader = many
    assert {event.job for event in reader.events_page(None, 100, "todos", "external")} == {"todos"}
    assert reader.events_count("todos", "external") == reader.events_count("todos")


def test_events_of_a_stage_are_looked_for_among_the_newest_of_its_job(many: tuple[Ground, Reader]) -> None:
    ground, reader = many
    read, outline = ground.stage_id("read", "docs"), ground.stage_id("outline", "docs")
    ground.do(record, [of(ground, "docs", f"{number}", outline) for number in range(3)], ground.now)
    ground.do(record, [of(ground, "docs", "read", read)] * (EVENTS_LOOKED_AT - 2), ground.now)
    assert [event.text for event in reader.events_of_stage("docs", "outline", 60)] == ["done: 2", "done: 1"]
    assert len(reader.events_of_stage("docs", "read", 60)) == 60
    assert reader.events_of_stage("nowhere", "read", 60) == []


def test_events_of_an_incident_name_it_or_come_from_what_stands_with_it(many: tuple[Ground, Reader]) -> None:
    ground, reader = many
    read = ground.stage_id("read", "docs")
    job_id = ground.job("docs").id
    said = ("the door is shut", "systemic", "high", "rule", "it is", "open it", "open", 1, 1, 1, "{}")
    ground.db.executemany(
        "INSERT INTO incidents (signature, label, class, confidence, judged_by, reason, fix, state, count, first_at, "
        f"last_at, evidence) VALUES ({','.join('?' * 12)})",
        [("abc", *said), ("run:docs:abc", *said)],
    )
    ground.db.execute(
        "INSERT INTO incident_items (incident_id, item_id, stage_id, fence, at) VALUES (1, 7, ?, 1, 1)", (read,)
    )
    told = [
        Event(kind="incident.opened", job_id=job_id, data={"incident": 1}),
        Event(kind="incident.opened", job_id=job_id, data={"incident": 2}),
        Event(kind="stage.failed", level="error", job_id=job_id, item_id=7, stage_id=read, text="it is his"),
        Event(kind="stage.failed", level="error", job_id=job_id, item_id=8, stage_id=read, text="another cause"),
        Event(kind="job.paused", job_id=job_id),
        Event(kind="run.failed", level="error", job_id=job_id),
        Event(kind="job.paused", job_id=ground.job("feeds").id),
        Event(kind="incident.overruled", actor="person", data={"incident": 1}),
    ]
    ground.do(record, told, ground.now)
    found = reader.events_of_incident(1, ("docs",), 60)
    assert [event.kind for event in found] == ["incident.overruled", "job.paused", "stage.failed", "incident.opened"]
    assert found[2].text == "failed: it is his"
    of_runs = [event.kind for event in reader.events_of_incident(2, ("docs",), 60)]
    assert of_runs == ["run.failed", "job.paused", "incident.opened"]


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("events_before_in_scope", "job_id=? AND id<?"),
        ("events_after_in_scope", "job_id=? AND id>?"),
        ("events_of_stage", "job_id=?"),
        ("events_of_incident", "job_id=?"),
    ],
)
def test_list_of_events_walks_over_no_more_than_its_bound(ground: Ground, name: str, bound: str) -> None:
    views = sql.load("views")
    plan = explain(ground.db, "EXPLAIN QUERY PLAN " + "\n".join((views["event_columns"], views[name])))
    lines = [row[3] for row in plan]
    assert any(f"COVERING INDEX events_job ({bound})" in line for line in lines), lines
    assert not any(line.startswith(("SCAN e", "SCAN r", "SCAN events", "SCAN i", "SCAN m")) for line in lines), lines
    assert not any("TEMP B-TREE" in line for line in lines), lines


def test_rare_events_are_found_without_a_walk_past_all_others(many: tuple[Ground, Reader]) -> None:
    ground, reader = many
    ground.do(record, [of(ground, "docs", "x")] * 20_000, ground.now)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    reader._connection.set_progress_handler(count, 100)
    assert len(reader.events_page(None, 200, scope="internal")) == 9
    assert reader.events_after(28, 200, scope="internal")
    assert steps < 200, json.dumps(steps)
