"""From what a handler returned or raised to how its attempt ends. Pure: time and chance are passed in."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from engine.config.units import parse_duration
from engine.contracts.attempt import AttemptError
from engine.contracts.errors import InDoubt, ModelBusy, ModelNeeded
from engine.contracts.item import Candidate
from engine.contracts.llm import SEND_AGAIN
from engine.contracts.outcome import Artifact, Ask, Done, Fail, Later, Skip
from engine.kit.compact_json import encode
from engine.kit.exceptions import first_line
from engine.kit.redact import redact
from engine.kit.safe_text import safe_line
from engine.rules.budget import is_cost
from engine.rules.candidates import flaw
from engine.rules.retry import backoff_s
from engine.store.checksum import hash_output
from engine.store.claims import Claim
from engine.store.stages import Finished, Left

RESULT_LIMIT: Final = 1 << 20
"""Largest output of a stage, in characters of its JSON."""
_PLAIN: Final = Done()
"""What a plain dict stands for, but for its output."""
_FROM_JSON: Final = json.JSONDecoder()
_MIN_LATER_S: Final = 1.0
"""A handler that asks to be called at once again must not spin."""
_MAX_LATER_S: Final = 366 * 86_400.0
_PARKED_S: Final = 10.0
"""At least so long an attempt is parked that a model could not take."""
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list, tuple),
    "dict": (dict,),
}


class BadResult(Exception):
    """What the handler returned cannot be stored."""


def judge(claim: Claim, value: Any, emitted: Sequence[tuple[str, Candidate]], *, now: int, ms: int) -> Finished | Left:
    """Judge what a handler returned; BadResult says what is wrong with it."""
    if isinstance(value, dict):
        return _finished(claim, value, _PLAIN, emitted, ms)
    if isinstance(value, Mapping):
        value = Done(output=value)
    if isinstance(value, Done):
        return _finished(claim, value.output, value, emitted, ms)
    if isinstance(value, Later):
        after_s = min(max(_later_s(value, now), _MIN_LATER_S), _MAX_LATER_S)
        due_at = now + round(after_s * 1000)
        return Left(
            claim=claim, transition="postpone", why=safe_line(redact(str(value.why)[:4_000])), due_at=due_at, ms=ms
        )
    if isinstance(value, Skip):
        return Left(claim=claim, transition="skip", why=safe_line(redact(str(value.why)[:4_000])), ms=ms)
    if isinstance(value, Ask):
        choices = json.dumps([safe_line(str(choice), 100) for choice in value.choices]) if value.choices else None
        return Left(
            claim=claim, transition="ask", why=safe_line(redact(str(value.question)[:4_000])), choices=choices, ms=ms
        )
    if isinstance(value, Fail):
        return _given_up(claim, value, ms)
    kind = "nothing" if value is None else type(value).__name__
    raise BadResult(f"the handler returned {kind}; it must return a dict or an outcome (Done, Later, Skip, Ask, Fail)")


def _given_up(claim: Claim, fail: Fail, ms: int) -> Left:
    """The handler says itself that this item cannot pass; where somebody has to look, the doctor gets it to judge."""
    why = safe_line(redact(str(fail.why)[:4_000]))
    kind = safe_line(str(fail.kind), 100) or ("Fail" if claim.stage.internal else "")
    problem = AttemptError(error_type=kind, message=why, traceback="") if kind else None
    return Left(claim=claim, transition="fail", why=why, problem=problem, ms=ms)


def _later_s(later: Later, now: int) -> float:
    """How many seconds from now a handler wants to be called again."""
    after: Any = later.after
    when: Any = later.when
    if (after is None) == (when is None):
        raise BadResult("Later needs one of `after` and `when`")
    if isinstance(when, datetime) and when.tzinfo is not None:
        return when.timestamp() - now / 1000
    if when is not None:
        raise BadResult("Later.when is no datetime with a time zone")
    if isinstance(after, timedelta):
        return after.total_seconds()
    if isinstance(after, str):
        try:
            return parse_duration(after)
        except ValueError as error:
            raise BadResult(f"Later.after {error}") from error
    if not isinstance(after, (int, float)) or math.isnan(after):
        raise BadResult("Later.after is no duration: seconds, or text such as `10m`")
    return after


def _finished(
    claim: Claim, given: Mapping[str, Any], done: Done, emitted: Sequence[tuple[str, Candidate]], ms: int
) -> Finished:
    output = dict(given)
    for name, kind in claim.stage.spec.outputs.items():
        if name not in output:
            raise BadResult(f"the output lacks `{name}`, which the stage declares")
        if not isinstance(output[name], _TYPES[kind]) or (kind != "bool" and isinstance(output[name], bool)):
            raise BadResult(f"the output's `{name}` is {type(output[name]).__name__}, the stage declares {kind}")
    try:
        # ASCII: what is not text in UTF-8 (a lone surrogate) stays an escape and can be stored.
        text = encode(output)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadResult(f"the output is not JSON: {error}") from error
    if len(text) > RESULT_LIMIT:
        raise BadResult(f"the output has {len(text):,} characters of JSON, {RESULT_LIMIT:,} are allowed")
    cost: Any = done.cost_usd_micros
    if not is_cost(cost):
        raise BadResult("the cost is no number of micro-dollars: a whole number, not negative")
    emit = (*done.emit, *emitted) if done.emit or emitted else ()
    for job, candidate in emit:
        if not isinstance(job, str):
            raise BadResult(f"the handler emitted for a job that is named by {type(job).__name__}, not by text")
        if found := flaw(candidate):
            raise BadResult(f"the handler emitted {found}")
    signals: Any = done.signals
    if signals:
        if not isinstance(signals, Mapping) or not all(isinstance(name, str) for name in signals):
            raise BadResult("the signals are no names with values")
        try:
            signals = _FROM_JSON.decode(encode(dict(signals)))
        except (TypeError, ValueError, RecursionError) as error:
            raise BadResult(f"the signals are not JSON: {error}") from error
    return Finished(
        claim,
        text,
        hash_output(text),
        # What the next stage gets is what is stored, whether it takes it from here or from the state file.
        _FROM_JSON.raw_decode(text)[0],
        json.dumps([_artifact(artifact) for artifact in done.artifacts]) if done.artifacts else None,
        cost,
        emit,
        ms,
        signals,
    )


def _artifact(artifact: Artifact) -> dict[str, str]:
    path: Any = artifact.path
    if not isinstance(path, str) or path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise BadResult(f"the artifact `{safe_line(str(path), 100)}` is not inside the item's folder")
    return {"path": safe_line(artifact.path, 300), "type": safe_line(artifact.type, 100)}


def failed(claim: Claim, problem: AttemptError, *, now: int, chance: float, ms: int, final: bool = False) -> Left:
    """An attempt that raised: try again later while attempts are left, else the stage has failed."""
    spec = claim.stage.spec
    why = first_line(problem)
    if final or claim.attempt >= spec.attempts:
        return Left(claim=claim, transition="fail", why=why, problem=problem, ms=ms)
    wait = backoff_s(claim.attempt, first_s=spec.backoff_s, max_s=spec.backoff_max_s, chance=chance)
    return Left(claim=claim, transition="retry_later", why=why, due_at=now + round(wait * 1000), problem=problem, ms=ms)


def unanswered(claim: Claim, error: ModelBusy | ModelNeeded | InDoubt, *, now: int, ms: int) -> Left:
    """An attempt that got no answer of a model through no fault of its own: it is parked, or a person is asked."""
    why = safe_line(str(error), 300)
    if isinstance(error, InDoubt):
        return Left(
            claim=claim, transition="ask", why=f"{why}; send it again?", choices=json.dumps([SEND_AGAIN]), ms=ms
        )
    until = error.until if isinstance(error, ModelBusy) else None
    earliest = now + round(_PARKED_S * 1000)
    return Left(claim=claim, transition="postpone", why=why, due_at=max(until or 0, earliest), ms=ms)
