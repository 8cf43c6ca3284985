"""What goes over the pipe between the engine and a worker process: frames, and what is in them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from engine.contracts.item import Candidate
from engine.contracts.outcome import Artifact, Ask, Done, Fail, Later, Outcome, Skip
from engine.kit.frames import framed

FRAME_LIMIT: Final = 8 << 20
"""Largest frame; a result above its own limit is refused with a better message before this."""


def pack(message: Mapping[str, Any]) -> bytes:
    """Encode one frame; FrameError when it is too large. What is not JSON raises as `json` does: a handler gave it."""
    return framed(json.dumps(message, allow_nan=False, separators=(",", ":")).encode(), FRAME_LIMIT)


def encode_outcome(outcome: Any) -> dict[str, Any]:
    """Encode what a handler returned; a TypeError for what is no outcome."""
    if isinstance(outcome, Mapping):
        outcome = Done(output=outcome)
    if isinstance(outcome, Done):
        return {
            "kind": "done",
            "output": dict(outcome.output),
            "cost": outcome.cost_usd_micros,
            "artifacts": [[artifact.path, artifact.type] for artifact in outcome.artifacts],
            "emit": encode_emitted(outcome.emit),
            "signals": dict(outcome.signals),
        }
    if isinstance(outcome, Later):
        after, when = outcome.after, outcome.when
        return {
            "kind": "later",
            "after": after.total_seconds() if isinstance(after, timedelta) else after,
            "when": when.isoformat() if isinstance(when, datetime) else when,
            "why": outcome.why,
        }
    if isinstance(outcome, Skip):
        return {"kind": "skip", "why": outcome.why}
    if isinstance(outcome, Ask):
        return {"kind": "ask", "question": outcome.question, "choices": list(outcome.choices)}
    if isinstance(outcome, Fail):
        return {"kind": "fail", "why": outcome.why, "sort": outcome.kind}
    return {"kind": "none", "type": "nothing" if outcome is None else type(outcome).__name__}


def decode_outcome(told: Mapping[str, Any]) -> Outcome | object:
    """Decode what `encode_outcome` made."""
    kind = told["kind"]
    if kind == "done":
        return Done(
            output=told["output"],
            cost_usd_micros=int(told["cost"]),
            artifacts=tuple(Artifact(path=path, type=media) for path, media in told["artifacts"]),
            emit=tuple(decode_emitted(told["emit"])),
            signals=told["signals"],
        )
    if kind == "later":
        when = told["when"]
        return Later(
            told["why"], after=told["after"], when=datetime.fromisoformat(when) if isinstance(when, str) else when
        )
    if kind == "skip":
        return Skip(why=told["why"])
    if kind == "ask":
        return Ask(question=told["question"], choices=tuple(told["choices"]))
    if kind == "fail":
        return Fail(why=told["why"], kind=told["sort"])
    # A value of the type that the handler returned is not here; its name is.
    return type(str(told["type"]), (), {})() if told["type"] != "nothing" else None


def encode_emitted(emitted: Any) -> list[list[Any]]:
    """Encode (job, candidate) pairs."""
    return [
        [
            job,
            {
                **dataclasses.asdict(candidate),
                "data": dict(candidate.data),
                "signals": dict(candidate.signals),
                "provenance": dict(candidate.provenance),
            },
        ]
        for job, candidate in emitted
    ]


def decode_emitted(told: Any) -> list[tuple[str, Candidate]]:
    """Decode (job, candidate) pairs."""
    return [
        (job, Candidate(**{**fields, "headings": tuple(fields["headings"]), "needs": tuple(fields["needs"])}))
        for job, fields in told
    ]
