"""Changes of code that the rules could not settle: tried on stored items, else put to a model, else left to a person.

It works beside the stages, which never wait for it, one change at a time. What it finds is recorded as a judgement, so
nothing is tried or asked twice; a change that went away meanwhile (other code, a person's word) is left alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped, ModelNeeded, StateError
from engine.contracts.llm import LLM, Request
from engine.kit.safe_text import safe_line
from engine.kit.tasks import beside, end_task
from engine.rules.budget import dollars
from engine.store import open_changes
from engine.store.claims import Claim
from engine.store.open_changes import Answer, Input, OpenChange
from engine.store.writer import Writer

log = logging.getLogger(__name__)

T = TypeVar("T")
TRIED: Final = 3
"""Stored inputs that new code is tried on."""


class Tried(Protocol):
    """What came of one input; see `engine.work.canary.Tried`."""

    @property
    def output(self) -> str | None: ...
    @property
    def output_hash(self) -> bytes | None: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def does_more(self) -> bool: ...


class Read(Protocol):
    """Reads beside the writer's groups."""

    def __call__(self, function: Callable[[sqlite3.Connection], T], /) -> Awaitable[T]: ...


class CodeChanges:
    """Lives on the engine's loop."""

    def __init__(
        self,
        *,
        writer: Writer,
        read: Read,
        now: Callable[[], int],
        llm: LLM,
        model: Callable[[], str | None],
        prices: Callable[[Request], Mapping[str, int | None]],
        run: Callable[[Claim], Awaitable[Tried]],
        is_edited: Callable[[], bool],
        tell: Callable[[str, str, str], object],
        since: int,
        ended: Callable[[], None],
    ) -> None:
        """`model`: the alias to ask; `prices`: what a question costs at most with each alias; `run` runs a handler in
        scratch; `is_edited`: whether code was edited since it was read, so that what ran may be other code (asked in a
        thread); `tell` tells a person of what was found after `since`; `ended` is called when nothing is looked at any
        more."""
        self._writer = writer
        self._read = read
        self._now = now
        self.llm = llm
        """The door to models."""
        self._model = model
        self._prices = prices
        self._run = run
        self._is_edited = is_edited
        self.tell = tell
        """Tells a person: key, title, text."""
        self._since = since
        self._ended = ended
        self._told: set[int] = set()
        self._wake = asyncio.Event()
        self._due = True
        self._busy = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what is open."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="code changes")

    async def stop(self) -> None:
        """End; what is open is looked at by the next engine."""
        await end_task(self._task)

    def look(self) -> None:
        """There may be open changes: other code runs, or a job goes on."""
        self._due = True
        self._wake.set()

    @property
    def is_busy(self) -> bool:
        """Whether a change is being tried or asked about."""
        return self._task is not None and (self._due or self._busy)

    async def ask(self, args: Mapping[str, Any]) -> CommandOutcome:
        """A person wants a model's word on a change; `price`: only what that costs at most, by model."""
        from engine.services.change_question import COST_MAX, ask, differences, request
        from engine.services.commands import find_job

        job, stage = find_job(self._writer.plan, str(args["job"])).spec.name, str(args["stage"])
        change = await self._read(
            lambda connection: open_changes.change_of(connection, self._writer.plan, job, stage, args.get("version"))
        )
        if change is None:
            return CommandOutcome(ok=False, message=f"nothing of {job}.{stage} is stale that can be compared")
        model = str(args["model"]) if args.get("model") else self._model()
        if why := self.llm.missing(model):
            raise ModelNeeded(why)
        if change.doubts:
            why = f"no model can tell: not all of the code can be seen: {change.doubts[0]}"
            return CommandOutcome(ok=False, message=why)
        if args.get("price"):
            known = self._prices(request(differences(change.changes), None))
            prices = {name: COST_MAX if cost is None else cost for name, cost in known.items()}
            return CommandOutcome(ok=True, message=f"{job}.{stage} can be put to a model", data={"prices": prices})
        answer = await ask(self.llm, change.changes, model)
        if answer.confidence is None:
            return CommandOutcome(ok=False, message=f"{job}.{stage}: {answer.why}")
        stored = await self._writer.change(
            lambda connection, now: open_changes.settle(connection, self._writer.plan, change, answer, now)
        )
        if not stored:
            return CommandOutcome(ok=False, message=f"{job}.{stage}: the code was changed or judged meanwhile")
        sure = f"{answer.verdict}, sure to {answer.confidence:.0%}, for {dollars(answer.cost_usd_micros)}"
        n = change.pair.results
        kept = f"; kept {n:,} {'result' if n == 1 else 'results'}" if answer.verdict == "cosmetic" else ""
        return CommandOutcome(ok=True, message=f"{job}.{stage}: {sure}: {answer.why}{kept}", changed=(job,))

    async def _loop(self) -> None:
        while True:
            self._due, self._busy = False, True
            try:
                await self._look_at_all()
            except (StateError, EngineStopped):
                pass  # the writer says so where people look; what is open stays open
            except Exception:
                log.exception("looking at changes of code failed")
            self._busy = False
            self._ended()
            if not self._due:
                await self._wake.wait()
            self._wake.clear()

    async def _look_at_all(self) -> None:
        seen: set[int] = set()
        while True:
            # Read anew each time: an answer may have made other pairs the same, or answered them.
            found = await self._read(lambda connection: open_changes.open_changes(connection, self._writer.plan))
            change = next((one for one in found if one.judgement not in seen), None)
            if change is None:
                return
            seen.add(change.judgement)
            if not change.is_held:
                try:
                    await self._look_at(change)
                except _OtherCode:
                    return

    async def _look_at(self, change: OpenChange) -> None:
        why = change.why
        answer: Answer | None = change.known
        if answer is None and change.doubts:
            why = f"{why}; not all of the code can be seen: {change.doubts[0]}"
        elif answer is None:
            answer = await self._try(change)
            if answer is None and self.llm.missing(self._model()) is None:
                from engine.services.change_question import ask

                answer = await ask(self.llm, change.changes, self._model())
        if answer is None:
            if change.at >= self._since:
                self._tell_person(change, why)
            return
        given = answer
        stored = await self._writer.change(
            lambda connection, now: open_changes.settle(connection, self._writer.plan, change, given, now)
        )
        if stored and given.verdict == "semantic":
            self._tell_person(change, given.why)

    def _tell_person(self, change: OpenChange, why: str) -> None:
        if change.judgement not in self._told:
            self._told.add(change.judgement)
            n, stage = change.pair.results, f"{change.stage.job}.{change.stage.spec.name}"
            title = f"{n:,} {'result' if n == 1 else 'results'} of {stage} {'is' if n == 1 else 'are'} stale"
            self.tell(f"stale {change.judgement}", title, why)

    # The canary

    async def _try(self, change: OpenChange) -> Answer | None:
        """Run the new code on stored inputs; None where that cannot tell."""
        spec = change.stage.spec
        if not spec.deterministic or spec.needs_model or spec.place == "thread":
            return None
        given = await self._read(
            lambda connection: open_changes.inputs(connection, self._writer.plan, change, TRIED, self._now())
        )
        if len(given) < min(TRIED, change.pair.results):
            return None  # too little is as it was
        plan = self._writer.plan
        for one in given:
            tried = await self._run(one.claim)
            if plan is not self._writer.plan or await beside(self._is_edited):
                raise _OtherCode
            if tried.does_more and tried.problem is None:
                return None
            if (differs := _difference(one, tried)) is not None:
                return Answer("semantic", "canary", f"{differs} (item {safe_line(one.claim.item.key, 80)})")
        return Answer("cosmetic", "canary", f"canary {len(given)}/{len(given)}: the outputs are equal")


class _OtherCode(Exception):
    """The code was edited while it was tried; the reload that follows looks at what there is then."""


def _difference(given: Input, tried: Tried) -> str | None:
    """Say in what the new code's output differs from the stored one; None: in nothing."""
    if tried.output is None:
        return f"the new code gave no output: {tried.problem}"
    if tried.output_hash == given.output_hash:
        return None
    old: Any = json.loads(given.output)
    new: Any = json.loads(tried.output)
    names = sorted(
        name
        for name in {*old, *new}
        if name not in old or name not in new or json.dumps(old[name]) != json.dumps(new[name])
    )
    fields = ", ".join(f"`{safe_line(name, 40)}`" for name in names[:4]) or "the order of fields"
    return f"the new code gives another output: {fields}"
