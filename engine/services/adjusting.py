"""Limits that a person sets while the engine runs: checked, stored, and applied like a reload of the same file."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_args

from engine.config.units import parse_rate
from engine.contracts.adjustment import LimitKind
from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import UseError
from engine.contracts.rate import Rate
from engine.contracts.spec import ProjectSpec
from engine.rules.adjust import limits
from engine.store import adjustments
from engine.store.writer import Writer

_MOST = 10_000


class Adjusting:
    """Lives on the engine's loop."""

    def __init__(
        self, writer: Writer, configured: Callable[[], ProjectSpec], apply: Callable[[], Awaitable[object]]
    ) -> None:
        """`configured`: what jobs.yaml says; `apply` takes it anew, with what is set in its place."""
        self._writer = writer
        self._configured = configured
        self._apply = apply

    async def set(self, args: Mapping[str, Any]) -> CommandOutcome:
        """Set one limit, or drop what was set."""
        name, text = str(args["name"]), args.get("value")
        value = None if text is None else _parsed(str(text))
        kind = _kind_of(str(args["kind"]), value)
        known = limits(self._configured())
        if (kind, name) not in known:
            of = sorted(one for one_kind, one in known if one_kind == kind)
            raise UseError(f"there is no {kind} of `{name}`; there are: {', '.join(of) or 'none'}")
        kinds: list[LimitKind] = [kind]
        if kind == "resource" and value is None:
            kinds.append("resource pace")

        def store(connection: sqlite3.Connection, now: int) -> int | None:
            numbers = [adjustments.put(connection, one, name, value, now, configured=known[one, name]) for one in kinds]
            return max((number for number in numbers if number is not None), default=None)

        operation = await self._writer.change(store)
        said = f"{kind} of {name}: {text if value is not None else known[kind, name] or 'none'}"
        if operation is None:
            return CommandOutcome(ok=False, message=f"nothing changed; {said}")
        await self._apply()
        more = f" (jobs.yaml says {known[kind, name] or 'none'})" if value is not None else ", as jobs.yaml says"
        return CommandOutcome(ok=True, message=said + more, changed=(name,), operation=operation)


def check(args: Mapping[str, Any]) -> None:
    """UseError for a limit that cannot be."""
    if args["kind"] not in get_args(LimitKind):
        raise UseError(f"`adjust`: the kind is one of {', '.join(get_args(LimitKind))}")
    value = args.get("value")
    if value is not None:
        _kind_of(str(args["kind"]), _parsed(str(value)))


def _parsed(text: str) -> int | Rate:
    """Return a number of places, or a pace such as `60/h` or `60/h burst 5`."""
    rate, _, burst = text.strip().partition("burst")
    try:
        if "/" not in rate:
            number = int(rate)
            if not burst and 0 < number <= _MOST:
                return number
        else:
            count, per_s = parse_rate(rate.strip().rstrip(","))
            places = int(burst) if burst else 1
            if 0 < places <= _MOST:
                return Rate(count=count, per_s=per_s, burst=places)
    except ValueError:
        pass
    raise UseError(f"`{text[:40]}` is neither a number from 1 to {_MOST:,} nor a pace such as 60/h or `60/h burst 5`")


def _kind_of(kind: str, value: int | Rate | None) -> LimitKind:
    """Return which limit of a name a value is about; UseError for one that does not fit."""
    for one in get_args(LimitKind):
        if one == kind:
            if kind == "resource" and isinstance(value, Rate):
                return "resource pace"
            if value is not None and isinstance(value, Rate) == (kind in ("slots", "resource")):
                fits = "a number" if kind in ("slots", "resource") else "a pace, such as 60/h"
                raise UseError(f"`adjust`: {kind} is {fits}")
            found: LimitKind = one
            return found
    raise UseError(f"`adjust`: there is no {kind}")
