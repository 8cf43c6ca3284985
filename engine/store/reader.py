"""What screens and the command line read: short selects on read-only connections, never used by workers.

What only some screens ask for is imported when they do: the first paint waits for this module.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.contracts.view import (
    ComingView,
    EventView,
    ItemDetail,
    ItemQuery,
    ItemView,
    JobView,
    LimitView,
    RunView,
    Scope,
    StatusView,
)
from engine.kit.clock import Clock, SystemClock
from engine.rules.order import slack_ms
from engine.store import event_lists, item_lists, item_rows, job_rows
from engine.store.migrate import connect
from engine.store.sql import queries
from engine.store.state_dir import StateDir

if TYPE_CHECKING:
    from engine.contracts.bulk import BulkLook, BulkView, Forecast
    from engine.contracts.costs import BudgetView, CallView, CostsView, ModelsView
    from engine.contracts.history import HourView
    from engine.contracts.incident import IncidentView
    from engine.contracts.report import JobReport
    from engine.contracts.since import SinceView
    from engine.contracts.staleness import BlessingView, StaleView, SymbolChange

_SQL = queries("views")
BULK_SHOWN_MS = 10_000
"""So long it is shown how a command on many items has ended."""
_FEW = 20_000
"""So many items are looked at within what a key may wait."""


class Reader:
    """Implements `engine.contracts.api.Reader` on a state directory; thread-safe."""

    def __init__(self, state: StateDir, *, project: str, clock: Clock | None = None) -> None:
        self._state = state
        self._project = project
        self._now = (clock or SystemClock()).now
        self._lock = threading.Lock()
        self._connection = _open(state.database)
        # A pass over a million rows must not make a key wait: it has a connection of its own.
        self._pass_lock = threading.Lock()
        self._pass_connection: sqlite3.Connection | None = None
        self._given_up = False
        """Whether the pass that goes on is not wanted any more; between two statements nothing can be interrupted."""

    def change_count(self) -> int:
        with self._lock:
            return int(self._connection.execute(_SQL.change).fetchone()[0])

    def status(self) -> StatusView:
        jobs = self.jobs()
        with self._lock:
            problem = self._connection.execute(_SQL.problem).fetchone()
            incidents, opened, rings = self._connection.execute(_SQL.incident_counts).fetchone()
            stale = int(self._connection.execute(_SQL.stale_results).fetchone()[0])
            bulk = self._bulk()
            budget = self._budget()
        items: dict[str, int] = defaultdict(int)
        failed_external = 0
        for job in jobs:
            if job.is_check:
                continue
            for state, n in job.items.items():
                items[state] += n
            failed_external += 0 if job.internal else job.items.get("failed", 0)
        return StatusView(
            project=self._project,
            engine=self._state.owner(),
            running=sum(job.count("running") for job in jobs),
            ready=sum(job.count("ready") for job in jobs),
            failed=items["failed"],
            waiting=items["waiting"],
            failed_external=failed_external,
            problem=problem[0] or None if problem else None,
            badges={"triage": items["waiting"]}
            | ({"doctor": incidents} if incidents else {})
            | ({"stale": stale} if stale else {}),
            rings=opened if rings else None,
            bulk=bulk,
            budget=budget,
        )

    def _budget(self) -> BudgetView | None:
        if self._connection.execute(_SQL.has_budget).fetchone() is None:
            return None
        from engine.store import cost_rows

        return next(cost_rows.budgets(self._connection, self._now()), None)

    def _bulk(self) -> BulkView | None:
        since = self._now() - BULK_SHOWN_MS
        if self._connection.execute(_SQL.any_bulk, (since,)).fetchone() is None:
            return None
        from engine.store import bulk_views

        return bulk_views.newest(self._connection, since)

    def stale(self) -> list[StaleView]:
        from engine.store import stale_views

        with self._lock:
            return stale_views.stale(self._connection)

    def blessings(self, since: int) -> list[BlessingView]:
        from engine.store import stale_views

        with self._lock:
            return stale_views.blessings(self._connection, since)

    def judged_changes(self, judgement: int) -> tuple[SymbolChange, ...]:
        from engine.store import stale_views

        with self._lock:
            return stale_views.judged_changes(self._connection, judgement)

    def jobs(self) -> list[JobView]:
        with self._lock:
            return job_rows.read(self._connection, self._now())

    def report(self, job: str | None, since: int) -> list[JobReport]:
        """How jobs (None: all) have done since a time (ms UTC); its cost follows from hours and stages."""
        from engine.store import reports

        with self._lock:
            jobs = [one for one in job_rows.read(self._connection, self._now()) if job in (None, one.name)]
            return reports.read(self._connection, jobs, since, self._now())

    def runs(self, job: str | None, limit: int) -> list[RunView]:
        with self._lock:
            if job is None:
                rows = self._connection.execute(_SQL.runs, {"limit": limit}).fetchall()
            else:
                values = {"job": self._job_id(job), "limit": limit}
                rows = self._connection.execute(_SQL.runs_of_job, values).fetchall()
        return [job_rows.run_view(row) for row in rows]

    def history(self, since: int) -> Mapping[str, Sequence[HourView]]:
        from engine.store import hours

        with self._lock:
            return hours.read(self._connection, since)

    def incidents(self, *, open_only: bool = True, limit: int = 200) -> list[IncidentView]:
        from engine.store import incident_rows

        with self._lock:
            return incident_rows.read(
                self._connection, ("open",) if open_only else ("open", "resolved", "dismissed"), limit
            )

    def incident(self, name: str) -> IncidentView | None:
        from engine.store import incident_rows

        with self._lock:
            return incident_rows.read_one(self._connection, name)

    def _job_id(self, name: str) -> int:
        row = self._connection.execute(_SQL.job_id, (name,)).fetchone()
        return int(row[0]) if row else -1

    # Items

    def items_count(self, query: ItemQuery) -> int:
        with self._lock:
            known = item_lists.counted(self._connection, query)
        if known is not None:
            return known
        with self._passing() as connection:
            return item_lists.count(connection, query, self._now())

    def items_counted(self, query: ItemQuery) -> bool:
        with self._lock:
            if item_lists.counted(self._connection, query) is not None:
                return True
            return item_lists.bound(self._connection, query) <= _FEW

    def items_anchors(self, query: ItemQuery, step: int) -> Sequence[tuple[Any, ...]]:
        with self._passing() as connection:
            # One snapshot: what lies between two anchors is counted on.
            connection.execute("BEGIN")
            try:
                return item_lists.anchors(connection, query, step, self._now(), lambda: not self._given_up)
            finally:
                connection.execute("COMMIT")

    def items_page(self, query: ItemQuery, start: tuple[Any, ...] | None, limit: int) -> list[ItemView]:
        with self._lock:
            return item_lists.page(self._connection, query, start, limit, self._now())

    def bulk_look(self, name: str, args: Mapping[str, Any], items: ItemQuery | Sequence[int]) -> BulkLook:
        from engine.store import bulk_views

        with self._passing() as connection:
            # One snapshot: the set, and what is said of it.
            connection.execute("BEGIN")
            try:
                targets = bulk_views.ids(connection, items, self._now()) if isinstance(items, ItemQuery) else items
                return bulk_views.look(connection, name, args, sorted(targets))
            finally:
                connection.execute("COMMIT")

    def bulk(self, operation: int) -> BulkView | None:
        from engine.store import bulk_views

        with self._lock:
            return bulk_views.one(self._connection, operation)

    @contextmanager
    def _passing(self) -> Iterator[sqlite3.Connection]:
        """The connection for passes over many rows, one at a time."""
        with self._pass_lock:
            if self._pass_connection is None:
                self._pass_connection = _open(self._state.database)
            self._given_up = False
            yield self._pass_connection

    def give_up(self) -> None:
        # Read without the lock on purpose: the pass that holds it is the one to end.
        self._given_up = True
        if (passing := self._pass_connection) is not None:
            passing.interrupt()

    def item(self, job: str, key: str) -> ItemDetail | None:
        with self._lock:
            values = {"job": self._job_id(job), "key": key}
            rows = self._connection.execute("\n".join((_SQL.item_columns, _SQL.one_item)), values).fetchall()
            if not rows:
                return None
            item_id = rows[0][0]
            stages = self._connection.execute(_SQL.item_stages, (item_id,)).fetchall()
            attempts = self._connection.execute(_SQL.attempts, (item_id,)).fetchall()
            events = event_lists.of_item(self._connection, item_id)
            steering = self._connection.execute(_SQL.steering, (item_id,)).fetchone()
            needs = dict(self._connection.execute(_SQL.needs, (item_id,)))
            origin = item_rows.origin_view(
                self._connection.execute(_SQL.provenance, (item_id,)).fetchall(),
                self._connection.execute(_SQL.seen_again, (item_id,)).fetchone(),
                self._connection.execute(_SQL.children, (item_id,)).fetchall(),
                self._connection.execute(_SQL.logs, (item_id,)).fetchall(),
                self._connection.execute(_SQL.replaced, (item_id,)).fetchall(),
            )
            talks = item_rows.talk_views(self._connection.execute(_SQL.talks, (item_id,)).fetchall())
            (item,) = item_lists.views(self._connection, rows)
        folder = self._state.artifacts / str(item_id)
        return ItemDetail(
            item=item,
            stages=tuple(item_rows.item_stage_view(row, folder) for row in stages),
            attempts=tuple(item_rows.attempt_view(row) for row in attempts),
            events=tuple(events),
            steering=item_rows.steering_view(steering, needs, item.priority),
            origin=origin,
            talks=talks,
        )

    def limits(self) -> list[LimitView]:
        from engine.store import limit_rows

        with self._lock:
            return limit_rows.read(self._connection)

    def plan(self, job: str | None, limit: int) -> list[ComingView]:
        coming: list[ComingView] = []
        with self._lock:
            for view in job_rows.read(self._connection, self._now()):
                if job is not None and view.name != job:
                    continue
                for stage in view.stages:
                    blocking = (
                        "job",
                        "eligibility",
                        "limit",
                        "disabled",
                        "paused",
                        "pace",
                        "resource",
                        "model",
                        "concurrency",
                    )
                    holds = tuple(
                        hold for hold in view.holds if hold.stage in (None, stage.name) and hold.gate in blocking
                    )
                    values = {"job": view.name, "stage": stage.name, "limit": limit}
                    coming += [
                        ComingView(
                            job=view.name,
                            stage=stage.name,
                            key=key,
                            title=title,
                            priority=priority,
                            ready_at=due_at - slack_ms(priority),
                            holds=holds,
                            weight=stage.weight,
                        )
                        for key, title, priority, due_at in self._connection.execute(_SQL.coming, values)
                    ]
        return sorted(coming, key=lambda one: one.ready_at + slack_ms(one.priority))[:limit]

    def since(self, at: int) -> SinceView:
        from engine.store import since_views

        with self._lock:
            return since_views.read(self._connection, at)

    def forecast(self, job: str) -> Forecast:
        from engine.store import forecasts

        with self._lock:
            return forecasts.of_job(self._connection, self._job_id(job))

    # Models and money

    def costs(self, since: int) -> CostsView:
        from engine.store import cost_rows

        with self._lock:
            return cost_rows.costs(self._connection, since, self._now())

    def model_calls(self, since: int, limit: int) -> list[CallView]:
        from engine.store import cost_rows

        with self._lock:
            return cost_rows.calls(self._connection, since, limit)

    def models(self) -> ModelsView:
        from engine.store import cost_rows

        with self._lock:
            return cost_rows.models(self._connection, self._now())

    # Events

    def _job_or_all(self, name: str | None) -> int | None:
        return None if name is None else self._job_id(name)

    def events_count(self, job: str | None = None, scope: Scope = "all") -> int:
        with self._lock:
            return event_lists.count(self._connection, self._job_or_all(job), scope)

    def events_page(
        self, before_id: int | None, limit: int, job: str | None = None, scope: Scope = "all"
    ) -> list[EventView]:
        with self._lock:
            return event_lists.before(self._connection, before_id, limit, self._job_or_all(job), scope)

    def events_after(self, after_id: int, limit: int, job: str | None = None, scope: Scope = "all") -> list[EventView]:
        with self._lock:
            return event_lists.after(self._connection, after_id, limit, self._job_or_all(job), scope)

    def events_of_stage(self, job: str, stage: str, limit: int) -> list[EventView]:
        with self._lock:
            return event_lists.of_stage(self._connection, self._job_id(job), stage, limit)

    def events_of_incident(self, incident: int, jobs: Sequence[str], limit: int) -> list[EventView]:
        with self._lock:
            return event_lists.of_incident(self._connection, incident, jobs, limit)

    def close(self) -> None:
        with self._lock, self._pass_lock:
            self._connection.close()
            if self._pass_connection is not None:
                self._pass_connection.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = connect(path, read_only=True)
    # Readers never checkpoint: one connection writes and checkpoints.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA cache_size = -4000")
    return connection
