"""Stand-ins for the two doors of the app: canned rows, recorded commands, no rules of the engine inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.contracts.bulk import BulkLook, BulkView, Forecast
from engine.contracts.commands import CommandOutcome
from engine.contracts.costs import CallView, CostsView, ModelsView
from engine.contracts.errors import StateError
from engine.contracts.filter import Term
from engine.contracts.history import HourView
from engine.contracts.incident import IncidentView
from engine.contracts.since import SinceView
from engine.contracts.staleness import BlessingView, StaleView, SymbolChange
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
from tests.tui import model_rows
from tests.tui.rows import NOW, Sample

Effect = Callable[[Mapping[str, Any]], CommandOutcome | None]


def _holds(term: Term, detail: ItemDetail) -> bool:
    """Whether an item of the sample has what a term asks for; the few kinds that screens ask for here."""
    item = detail.item
    gates = [stage.gate or "" for stage in detail.stages if stage.state == "waiting"]
    found = {
        "job": [item.job],
        "state": [item.state, *(stage.state for stage in detail.stages if item.state == "pending")],
        "gate": [*gates, *(["*"] if gates else [])],
        "sure": [item.confidence or "high"],
        "source": [item.source],
        "id": [str(item.id)],
        "rule": [item.proposed.lower(), "*"] if item.proposed else [],
    }
    if term.field == "file":
        return any(part in (item.path or "").lower() for part in term.values)
    if term.field == "text":
        return any(word in f"{item.key}\n{item.title}".lower() for word in term.values)
    return bool(set(found[term.field]) & set(term.values))


class FakeReader:
    """Serves the rows of a sample; tests change the sample."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.changes = 0
        self.problem: Exception | None = None
        """Raised by every read, when set."""
        self.damaged: set[tuple[str, str]] = set()
        """Items of which a result does not match its checksum."""
        self.page_problem: Exception | None = None
        """Raised by every read of a page of items, when set."""

    def _check(self) -> None:
        if self.problem is not None:
            raise self.problem

    def change_count(self) -> int:
        return self.changes

    def status(self) -> StatusView:
        self._check()
        return self.sample.status

    def jobs(self) -> list[JobView]:
        self._check()
        return list(self.sample.jobs)

    def item(self, job: str, key: str) -> ItemDetail | None:
        if (job, key) in self.damaged:
            raise StateError("a stored result does not match its checksum")
        return self.sample.details.get((job, key))

    def _items(self, query: ItemQuery) -> list[ItemView]:
        internal = {job.name: job.internal for job in self.sample.jobs}
        return [
            detail.item
            for (job, _), detail in self.sample.details.items()
            if (query.job is None or job == query.job)
            and (query.scope == "all" or internal.get(job, False) == (query.scope == "internal"))
            and all(_holds(term, detail) != term.negated for term in query.terms)
        ]

    def limits(self) -> list[LimitView]:
        self._check()
        return list(self.sample.limits)

    def plan(self, job: str | None, limit: int) -> list[ComingView]:
        return [one for one in self.sample.coming if job in (None, one.job)][:limit]

    def items_count(self, query: ItemQuery) -> int:
        self._check()
        return len(self._items(query))

    def items_counted(self, query: ItemQuery) -> bool:
        return True

    def give_up(self) -> None:
        """Nothing goes on in another thread."""

    def bulk_look(self, name: str, args: Mapping[str, Any], items: ItemQuery | Sequence[int]) -> BulkLook:
        found = self._items(items) if isinstance(items, ItemQuery) else [
            detail.item for detail in self.sample.details.values() if detail.item.id in items
        ]  # fmt: skip
        states = {"retry": {"failed"}, "accept": {"waiting"}, "reset": {"done", "failed", "waiting"}}.get(
            name, {"pending", "waiting", "failed"}
        )
        fit = [item for item in found if item.state in states]
        return BulkLook(
            targets=",".join(str(item.id) for item in found),
            total=len(found),
            eligible=len(fit),
            why_not=f"{name} is not for them",
            jobs=Counter(item.job for item in fit),
            sample=tuple(item.title for item in fit[:5]),
            forecast=Forecast(usd_micros=1_200_000, ms=150_000, unknown=("docs.outline",)),
        )

    def since(self, at: int) -> SinceView:
        return self.sample.since or SinceView(
            since=at, jobs=(), incidents=(), incidents_open=0, failed=0, waiting=0, paused={}, deeds={}
        )

    def forecast(self, job: str) -> Forecast:
        return Forecast(usd_micros=2_500_000, ms=3_600_000) if job in self.sample.costly else Forecast()

    def bulk(self, operation: int) -> BulkView | None:
        return self.sample.status.bulk

    def items_anchors(self, query: ItemQuery, step: int) -> Sequence[tuple[Any, ...]]:
        return [(item.id,) for item in self._items(query)[::step]]

    def items_page(self, query: ItemQuery, start: tuple[Any, ...] | None, limit: int) -> list[ItemView]:
        if self.page_problem is not None:
            raise self.page_problem
        return [item for item in self._items(query) if start is None or item.id >= start[0]][:limit]

    def events_count(self, job: str | None = None, scope: Scope = "all") -> int:
        return len(self._events(job, scope))

    def _events(self, job: str | None, scope: Scope) -> list[EventView]:
        if job is not None:
            return [event for event in self.sample.events if event.job == job]
        internal = {view.name: view.internal for view in self.sample.jobs}
        return [
            event
            for event in self.sample.events
            if scope == "all" or internal.get(event.job or "", True) == (scope == "internal")
        ]

    def events_page(
        self, before_id: int | None, limit: int, job: str | None = None, scope: Scope = "all"
    ) -> list[EventView]:
        self._check()
        found = reversed(self._events(job, scope))
        return [event for event in found if before_id is None or event.id < before_id][:limit]

    def events_after(self, after_id: int, limit: int, job: str | None = None, scope: Scope = "all") -> list[EventView]:
        self._check()
        return [event for event in self._events(job, scope) if event.id > after_id][:limit]

    def events_of_stage(self, job: str, stage: str, limit: int) -> list[EventView]:
        self._check()
        return [event for event in reversed(self._events(job, "all")) if event.stage == stage][:limit]

    def events_of_incident(self, incident: int, jobs: Sequence[str], limit: int) -> list[EventView]:
        self._check()
        return [event for event in reversed(self.sample.events) if event.data.get("incident") == incident][:limit]

    def incidents(self, *, open_only: bool = True, limit: int = 200) -> list[IncidentView]:
        self._check()
        return [one for one in self.sample.incidents if not open_only or one.state == "open"][:limit]

    def incident(self, name: str) -> IncidentView | None:
        return next((one for one in self.sample.incidents if name in (str(one.id), one.signature)), None)

    def runs(self, job: str | None, limit: int) -> list[RunView]:
        found = [view.last_run for view in self.sample.jobs if view.last_run and (job is None or view.name == job)]
        return [*found, *(run for run in self.sample.runs if job in (None, run.job))][:limit]

    def history(self, since: int) -> Mapping[str, Sequence[HourView]]:
        self._check()
        return {job: [one for one in hours if one.hour >= since] for job, hours in self.sample.history.items()}

    def stale(self) -> list[StaleView]:
        self._check()
        return list(self.sample.stale)

    def blessings(self, since: int) -> list[BlessingView]:
        return [one for one in self.sample.kept if one.at >= since]

    def judged_changes(self, judgement: int) -> tuple[SymbolChange, ...]:
        return self.sample.judged.get(judgement, ())

    def costs(self, since: int) -> CostsView:
        self._check()
        return model_rows.costs(since, NOW)

    def model_calls(self, since: int, limit: int) -> list[CallView]:
        self._check()
        return model_rows.calls(NOW)[:limit]

    def models(self) -> ModelsView:
        self._check()
        return model_rows.models(NOW)

    def close(self) -> None:
        """Nothing is open."""


class FakeEngine:
    """Records commands and answers as told."""

    def __init__(self, *, running: int = 0) -> None:
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.effects: dict[str, Effect] = {}
        """What a command does to the canned rows, by its name."""
        self.stopped: list[bool] = []
        """The `drain` of every stop."""
        self.wakes: list[Callable[[], None]] = []
        self.trouble: str | None = None
        """Why the engine cannot work at this moment."""
        self._running = running

    async def command(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        self.commands.append((name, dict(args)))
        effect = self.effects.get(name)
        outcome = effect(args) if effect is not None else None
        if outcome is not None:
            return outcome
        keys = tuple(args.get("keys", ()))
        count = f" {len(keys)} item" + ("" if len(keys) == 1 else "s") if keys else ""
        return CommandOutcome(
            ok=True, message=f"{name}{count}", changed=keys or (args.get("job", ""),), operation=len(self.commands)
        )

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        self.wakes.append(wake)
        return lambda: self.wakes.remove(wake)

    def wake(self) -> None:
        """Wake every app that listens."""
        for wake in list(self.wakes):
            wake()

    def running(self) -> int:
        return self._running

    is_attached = False

    def attached(self) -> bool:
        return self.is_attached

    def problem(self) -> str | None:
        return self.trouble

    async def stop(self, *, drain: bool) -> None:
        self.stopped.append(drain)
