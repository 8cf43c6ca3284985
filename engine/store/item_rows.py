"""Rows of items as values for screens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from engine.contracts.states import ItemState, StageState
from engine.contracts.values import dataclass
from engine.contracts.view import (
    ArtifactView,
    AttemptView,
    ItemStageView,
    ItemView,
    LogView,
    OriginView,
    ProgressView,
    RelativeView,
    ReplacedView,
    SteeringView,
    TalkView,
)
from engine.store.checksum import check_output

T = TypeVar("T", list[Any], dict[str, Any])


@dataclass(frozen=True, slots=True)
class StageNow:
    """One stage of an item in a list."""

    name: str
    state: StageState
    attempts: int
    why: str | None
    due_at: int | None
    done: int | None = None
    total: int | None = None
    text: str | None = None

    @property
    def told(self) -> str | None:
        """Why it waits or failed; of one that runs, how far it is."""
        if self.done is None:
            return self.why
        part = f"{self.done:,}" if self.total is None else f"{self.done:,} of {self.total:,}"
        return f"{part} {self.text}" if self.text else part


_WEIGHT: Final[dict[StageState, int]] = {"failed": 0, "waiting": 1, "running": 2, "later": 3, "ready": 4, "blocked": 5}
"""Which stage says most about its item; settled ones say nothing."""


def item_view(row: tuple[Any, ...], stages: Sequence[StageNow]) -> ItemView:
    """Make the view of one item in a list from its row and its stages in order."""
    (
        number, key, job, title, state, priority, why, path, line, headings, origin, source, confidence, created_at,
        updated_at, snoozed_until, data, proposed, cost,
    ) = row  # fmt: skip
    stage = min(
        (stage for stage in stages if stage.state in _WEIGHT), key=lambda stage: _WEIGHT[stage.state], default=None
    )
    later = stage.due_at if stage is not None and stage.state == "later" else None
    return ItemView(
        id=number,
        key=key,
        job=job,
        title=title,
        state=state,
        stage=stage.name if stage else None,
        stage_state=stage.state if stage else None,
        priority=priority,
        attempts=stage.attempts if stage else 0,
        why=_why(state, why, stage),
        path=path,
        line=line,
        headings=tuple(_told(headings, list)),
        origin=origin,
        source=source,
        confidence=confidence,
        created_at=created_at,
        updated_at=updated_at,
        due_at=snoozed_until or later,
        data=_told(data, dict),
        proposed=proposed,
        cost_usd_micros=cost,
    )


def _told(text: str, kind: type[T]) -> T:
    """Read a field of an item; an empty one where it is damaged: one item must not hide all the others of its list."""
    try:
        value = json.loads(text)
    except ValueError:
        return kind()
    return value if isinstance(value, kind) else kind()


def _why(state: ItemState, why: str | None, stage: StageNow | None) -> str | None:
    """Why an item is as it is: what was said of it as a whole, or what its stage tells."""
    of_itself = stage is None or state == "snoozed" or (stage.state == "blocked" and stage.why is None)
    return why if of_itself or stage is None else stage.told


def steering_view(row: tuple[Any, ...], needs: dict[str, ItemState | None], priority: int | None) -> SteeringView:
    """Make the view of what steers an item."""
    signals, by, why, held, completed_at, due_at, proposed_why = row
    by_rule = by == "source" and (why or "").startswith(f"P{priority} by rule ")
    return SteeringView(
        signals=_told(signals, dict),
        priority_by="rule" if by_rule else by,
        priority_why=why,
        held=held,
        proposed_why=proposed_why,
        needs=needs,
        last_completed_at=completed_at,
        next_due_at=due_at,
    )


def item_stage_view(row: tuple[Any, ...], folder: Path) -> ItemStageView:
    """Make the view of one item at one stage; a result that does not match its checksum is a StateError."""
    (
        name, position, state, gate, after, attempts, max_attempts, fence, due_at, started_at, ended_at, why, choices,
        output, output_hash, artifacts, cost, done, total, text,
    ) = row  # fmt: skip
    if output is not None:
        check_output(output, output_hash)
    return ItemStageView(
        stage=name,
        position=position,
        state=state,
        gate=gate,
        after=tuple(json.loads(after)),
        attempts=attempts,
        max_attempts=max_attempts,
        fence=fence,
        due_at=due_at,
        started_at=started_at,
        ended_at=ended_at,
        why=why,
        choices=tuple(json.loads(choices)) if choices else (),
        output=None if output is None else json.loads(output),
        artifacts=tuple(_artifact(folder, entry) for entry in json.loads(artifacts)) if artifacts else (),
        cost_usd_micros=cost or 0,
        progress=None if done is None else ProgressView(done=done, total=total, text=text or ""),
    )


def _artifact(folder: Path, entry: dict[str, str]) -> ArtifactView:
    path = folder / entry["path"]
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    return ArtifactView(path=str(path), type=entry["type"], size=size)


def attempt_view(row: tuple[Any, ...]) -> AttemptView:
    """Make the view of an attempt that did not end well."""
    stage, attempt, fence, started_at, ended_at, error_type, message, traceback = row
    return AttemptView(
        stage=stage,
        attempt=attempt,
        fence=fence,
        started_at=started_at,
        ended_at=ended_at,
        error_type=error_type,
        message=message,
        traceback=traceback,
    )


def talk_views(rows: Sequence[tuple[Any, ...]]) -> tuple[TalkView, ...]:
    """Make the views of conversations from their turns, newest first."""
    turns: dict[tuple[Any, ...], list[tuple[int, str, str | None]]] = {}
    for *talk, at, question, answer in rows:
        turns.setdefault(tuple(talk), []).append((at, question, answer))
    return tuple(
        TalkView(name=name, alias=alias, state=state, why=why, turns=tuple(reversed(said)))
        for (_, name, alias, state, why), said in turns.items()
    )


def origin_view(
    led: Sequence[tuple[str, str]],
    seen: tuple[int | None, str | None, str | None, ItemState | None],
    children: Sequence[tuple[str, str, ItemState]],
    logs: Sequence[tuple[str, int, str]],
    replaced: Sequence[tuple[Any, ...]],
) -> OriginView:
    """Make the view of where an item comes from and what belongs to it."""
    provenance: dict[str, list[str]] = {}
    for name, value in led:
        provenance.setdefault(name, []).append(value)
    last_seen_at, key, title, state = seen
    return OriginView(
        provenance={name: tuple(values) for name, values in provenance.items()},
        last_seen_at=last_seen_at,
        parent=None if key is None or state is None else RelativeView(key=key, title=title or key, state=state),
        children=tuple(RelativeView(key=key, title=title, state=state) for key, title, state in children),
        logs=tuple(
            LogView(stage=stage, fence=fence, lines=tuple((at, level, text) for at, level, text in json.loads(lines)))
            for stage, fence, lines in logs
        ),
        replaced=tuple(
            ReplacedView(
                stage=stage,
                fence=fence,
                version=version,
                output_hash=output_hash.lower(),
                ended_at=ended_at,
                replaced_by=replaced_by,
            )
            for stage, fence, version, output_hash, ended_at, replaced_by in replaced
        ),
    )
