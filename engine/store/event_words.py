"""The sentence of an event whose kind says it all; only what is particular is stored."""

from __future__ import annotations

import json
from typing import Any, Final

from engine.contracts.view import EventView

_WORDS: Final[dict[str, str]] = {
    "stage.done": "done",
    "stage.failed": "failed",
    "stage.skipped": "skipped",
    "stage.asked": "asks",
    "stage.retried": "failed, will be tried again",
    "stage.postponed": "put off",
    "items.pruned": "pruned",
    "stage.held": "held for a person",
    "stage.released": "released at shutdown",
    "stage.interrupted": "interrupted, back in the queue",
    "item.accepted": "accepted",
    "item.answered": "answered",
    "item.dropped": "dropped",
    "item.cancelled": "cancelled",
    "item.snoozed": "snoozed",
    "item.prioritised": "prioritised",
    "item.retried": "will be retried",
    "items.imported": "import",
    "item.added": "added by a person",
    "item.amended": "data changed by hand",
    "item.edited": "renamed",
    "item.started": "goes first",
    "item.reset": "will run again",
    "stale.found": "results are stale",
    "stale.blessed": "results of another version were kept",
    "stale.revoked": "revoked",
    "item.back": "seen again",
    "item.closed": "closed at its source",
    "item.reopened": "reopened",
    "item.changed": "changed",
    "item.gone": "gone",
    "item.fixed": "fixed, the check does not find it any more",
    "job.paused": "paused",
    "stage.paused": "paused",
    "stage.resumed": "resumed",
    "guard.tripped": "stopped by a guard",
    "item.due": "comes back",
    "item.circle": "asks for what asks for it",
    "run.backlog": "stopped adding",
    "job.resumed": "resumed",
    "job.removed": "not in the configuration any more",
    "job.broken": "broken",
    "config.reloaded": "configuration reloaded",
    "run.done": "run done",
    "run.failed": "run failed",
    "run.cut": "run cut short",
    "limit.set": "set by hand",
    "rules.applied": "rules of triage",
    "operation.done": "done",
    "operation.undone": "undone",
}


def event_view(row: tuple[Any, ...]) -> EventView:
    """Make the view of an event from its row."""
    number, at, level, kind, actor, job, key, stage, text, ms, data = row
    words = _WORDS.get(kind, kind)
    is_sentence = kind in ("attempt.refused", "handler.moved", "emit.refused") or kind.startswith("engine.")
    said = words if not text else text if is_sentence else f"{words}: {text}"
    if ms is not None:
        said += f" ({_took(ms)})"
    return EventView(
        id=number,
        at=at,
        level=level,
        kind=kind,
        actor=actor,
        job=job,
        key=key,
        stage=stage,
        text=said,
        data=json.loads(data) if data else {},
    )


def _took(ms: int) -> str:
    if ms < 1_000:
        return f"{ms} ms"
    seconds = ms / 1_000
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)}m{int(seconds % 60):02d}"
