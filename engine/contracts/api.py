"""The doors between front ends and the engine: commands go in through `EngineApi`, rows come out through `Reader`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from engine.contracts.commands import CommandOutcome
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

if TYPE_CHECKING:
    # Views of screens that are not the first: making their classes would hold up the first paint.
    from engine.contracts.bulk import BulkLook, BulkView, Forecast
    from engine.contracts.costs import CallView, CostsView, ModelsView
    from engine.contracts.history import HourView
    from engine.contracts.incident import IncidentView
    from engine.contracts.since import SinceView
    from engine.contracts.staleness import BlessingView, StaleView, SymbolChange


class EngineApi(Protocol):
    """The engine as the app sees it."""

    async def command(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Run one command of `engine.contracts.commands`; UseError for unknown names or wrong arguments."""
        ...

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` from the engine's thread after each change of state (coalesced); returns how to unsubscribe."""
        ...

    def running(self) -> int:
        """Attempts that run at this moment."""
        ...

    def problem(self) -> str | None:
        """What keeps the engine from working at this moment (the state file cannot be written), or None."""
        ...

    def attached(self) -> bool:
        """Whether the engine lives in another process, and goes on without whoever is attached to it."""
        ...

    async def stop(self, *, drain: bool) -> None:
        """Stop: with drain, wait for what runs (within the grace period); without, release it at once."""
        ...


class Reader(Protocol):
    """Short reads on a read-only connection; every call is one snapshot and holds no transaction after it."""

    def change_count(self) -> int:
        """A number that differs whenever the state file was changed by somebody else since the last call."""
        ...

    def status(self) -> StatusView: ...
    def jobs(self) -> list[JobView]: ...
    def item(self, job: str, key: str) -> ItemDetail | None: ...
    def items_count(self, query: ItemQuery) -> int: ...
    def items_counted(self, query: ItemQuery) -> bool:
        """Whether their number is kept, or few rows have to be looked at; else counting takes longer than a key may."""
        ...

    def give_up(self) -> None:
        """End the counting or anchoring that goes on in another thread; it raises there."""
        ...

    def items_anchors(self, query: ItemQuery, step: int) -> Sequence[tuple[Any, ...]]:
        """Sort keys of rows 0, step, 2·step, …; one pass, for a list that scrolls by row number."""
        ...

    def items_page(self, query: ItemQuery, start: tuple[Any, ...] | None, limit: int) -> list[ItemView]:
        """Rows from the sort key `start` on (inclusive); None: from the first."""
        ...

    def bulk_look(self, name: str, args: Mapping[str, Any], items: ItemQuery | Sequence[int]) -> BulkLook:
        """Look at a set of items for a command, and keep which they are; takes as long as there are items."""
        ...

    def bulk(self, operation: int) -> BulkView | None:
        """How far a command on a set has come."""
        ...

    def since(self, at: int) -> SinceView:
        """What happened since a time (ms UTC)."""
        ...

    def forecast(self, job: str) -> Forecast:
        """What a job has before it by itself would cost and take."""
        ...

    def limits(self) -> list[LimitView]:
        """What limits work, and who uses it."""
        ...

    def plan(self, job: str | None, limit: int) -> list[ComingView]:
        """What would run next, most due first."""
        ...

    def incidents(self, *, open_only: bool = True, limit: int = 200) -> list[IncidentView]:
        """What failed, by cause; those that happened last first."""
        ...

    def incident(self, name: str) -> IncidentView | None:
        """One incident by its number or signature."""
        ...

    def events_count(self, job: str | None = None, scope: Scope = "all") -> int:
        """Of one job, else of a scope; what is about no job is the engine's own, and internal."""
        ...

    def events_page(
        self, before_id: int | None, limit: int, job: str | None = None, scope: Scope = "all"
    ) -> list[EventView]:
        """Newest first, only those with an id below `before_id`."""
        ...

    def events_after(self, after_id: int, limit: int, job: str | None = None, scope: Scope = "all") -> list[EventView]:
        """Oldest first, only those with an id above `after_id`."""
        ...

    def events_of_stage(self, job: str, stage: str, limit: int) -> list[EventView]:
        """Newest first, of a stage; looked for among the newest `EVENTS_LOOKED_AT` of its job."""
        ...

    def events_of_incident(self, incident: int, jobs: Sequence[str], limit: int) -> list[EventView]:
        """Newest first, of an incident; looked for among the newest `EVENTS_LOOKED_AT` of each of its jobs."""
        ...

    def runs(self, job: str | None, limit: int) -> list[RunView]:
        """Newest first."""
        ...

    def history(self, since: int) -> Mapping[str, Sequence[HourView]]:
        """The hours of each job by its name since a time (ms UTC), oldest first; hours without an engine are absent."""
        ...

    def costs(self, since: int) -> CostsView:
        """Money and models since a time (ms UTC)."""
        ...

    def model_calls(self, since: int, limit: int) -> list[CallView]:
        """The newest requests to models that have ended since a time (ms UTC)."""
        ...

    def models(self) -> ModelsView:
        """Quotas, who waits for a model, and conversations, as they stand."""
        ...

    def stale(self) -> list[StaleView]:
        """Results that other code made than runs now, most first; never looks at the results themselves."""
        ...

    def blessings(self, since: int) -> list[BlessingView]:
        """Versions that count as the same by what was said since a time (ms UTC), newest first."""
        ...

    def judged_changes(self, judgement: int) -> tuple[SymbolChange, ...]:
        """What differs between the two versions that a judgement is about."""
        ...

    def close(self) -> None: ...
