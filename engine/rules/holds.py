"""Why a queue waits: every gate in the order in which it is passed, with the number that blocks and when it frees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from engine.contracts.states import JobState, StageState
from engine.contracts.values import dataclass
from engine.contracts.view import HoldView


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketNow:
    """A pace as it stands."""

    pace: str
    """As written, such as `60/h`."""
    next_at: int | None
    """When the next grant is free, ms UTC; None: never used, so free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceNow:
    """A resource as it stands."""

    name: str
    held: int
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNow:
    """A model that a stage needs and that cannot be asked now."""

    why: str
    until: int | None
    """When it can, ms UTC; None: when somebody has configured it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueNow:
    """One stage of a job as it stands."""

    stage: str
    gate: str | None
    enabled: bool
    counts: Mapping[StageState, int]
    concurrency: int
    buckets: Sequence[BucketNow]
    resources: Sequence[ResourceNow]
    next_later_at: int | None
    """When the first row that waits for a time comes back, ms UTC."""
    model: ModelNow | None = None
    """None: it needs none, or the one that it needs can be asked."""
    paused: bool = False
    paused_why: str | None = None
    paused_until: int | None = None
    throttled_until: int | None = None
    """Until when it is held back because somebody asked for fewer requests, ms UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsHeld:
    """Items that are held for what they are or what they wait for."""

    n: int
    """Counted up to `HELD_MAX`."""
    why: str
    """That of one of them."""


HELD_MAX: Final = 1_000
"""So many held items are counted; beyond it the number is not exact."""


def job_holds(
    state: JobState,
    why: str | None,
    queues: Sequence[QueueNow],
    now: int,
    *,
    until: int | None = None,
    told: Sequence[HoldView] = (),
    items: ItemsHeld | None = None,
) -> list[HoldView]:
    """What holds a job back, first the job as a whole, then its items, then stage by stage.

    `until` is when a pause of the job ends by itself, ms UTC; `told` is what the engine has found about the job as a
    whole beyond its rows.
    """
    holds: list[HoldView] = []
    if state != "active":
        holds.append(
            HoldView(stage=None, gate="job", why=f"the job is {state}" + (f": {why}" if why else ""), until=until)
        )
    holds += told
    if items is not None:
        n = f"{HELD_MAX:,} items or more are" if items.n >= HELD_MAX else f"{items.n} {_items(items.n)} {_is(items.n)}"
        holds.append(HoldView(stage=None, gate="items", why=f"{n} held: {items.why}", until=None))
    for queue in queues:
        holds += _queue_holds(queue, now)
    return holds


def _queue_holds(queue: QueueNow, now: int) -> Iterator[HoldView]:
    waiting, later, ready = (queue.counts.get(state, 0) for state in ("waiting", "later", "ready"))
    if not queue.enabled:
        yield HoldView(stage=queue.stage, gate="disabled", why="the stage is disabled", until=None)
    if waiting:
        what = f"at gate {queue.gate}" if queue.gate else "for an answer"
        yield HoldView(
            stage=queue.stage,
            gate="person",
            why=f"{waiting} {_items(waiting)} {_s('wait', waiting)} {what}",
            until=None,
        )
    if later:
        yield HoldView(
            stage=queue.stage,
            gate="time",
            why=f"{later} {_items(later)} {_s('come', later)} back later",
            until=queue.next_later_at,
        )
    if queue.paused:
        why = f"{ready} ready, the stage is paused" + (f": {queue.paused_why}" if queue.paused_why else "")
        yield HoldView(stage=queue.stage, gate="paused", why=why, until=queue.paused_until)
    if not ready:
        return
    if queue.throttled_until is not None and queue.throttled_until > now:
        yield HoldView(
            stage=queue.stage,
            gate="throttled",
            why=f"{ready} ready, held back because it was throttled",
            until=queue.throttled_until,
        )
    for bucket in queue.buckets:
        if bucket.next_at is not None and bucket.next_at > now:
            yield HoldView(
                stage=queue.stage, gate="pace", why=f"{ready} ready, pace {bucket.pace}", until=bucket.next_at
            )
    for resource in queue.resources:
        if resource.held >= resource.capacity:
            yield HoldView(
                stage=queue.stage,
                gate="resource",
                why=f"{ready} ready, resource {resource.name} {resource.held} of {resource.capacity} held",
                until=None,
            )
    if queue.model is not None:
        yield HoldView(
            stage=queue.stage, gate="model", why=f"{ready} ready, {queue.model.why}", until=queue.model.until
        )
    running = queue.counts.get("running", 0)
    if running >= queue.concurrency:
        yield HoldView(
            stage=queue.stage,
            gate="concurrency",
            why=f"{ready} ready, {running} of {queue.concurrency} slots taken",
            until=None,
        )


def _items(n: int) -> str:
    return "item" if n == 1 else "items"


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _s(verb: str, n: int) -> str:
    return f"{verb}s" if n == 1 else verb
