"""What all screens share: the door to the engine, the rows, the scope, and what was done in this session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.contracts.api import EngineApi, Reader
from engine.contracts.commands import COMMANDS, CommandOutcome
from engine.contracts.errors import RivusError
from engine.contracts.view import Scope, StatusView
from engine.kit.clock import Clock
from rivus_tui.bulk_page import progress
from rivus_tui.filters import SCOPES
from rivus_tui.format import clock_time, money, until
from rivus_tui.keymap import PLAIN, Keymap
from rivus_tui.memory import Memory
from rivus_tui.pace import Pace
from rivus_tui.said import Said
from rivus_tui.session import Session
from rivus_tui.since_page import AWAY_MS

log = logging.getLogger("rivus.tui")


class Desk:
    """Everything a screen may ask for; it decides nothing."""

    def __init__(
        self,
        *,
        engine: EngineApi | None,
        reader: Reader,
        project: str,
        clock: Clock,
        note: str | None,
        root: Path,
        keymap: Keymap = PLAIN,
        memory: Memory | None = None,
        config: Path | None = None,
    ) -> None:
        self.engine = engine
        self.reader = reader
        self.project = project
        self.clock = clock
        self.note = note
        self.root = root
        """Folder that paths of items are relative to."""
        self.config = config
        """The jobs.yaml that is in force; None: the built-in jobs."""
        self.keymap = keymap
        self.memory = memory if memory is not None else Memory()
        self.session = Session()
        self._turn = asyncio.Lock()
        """Held by one deed or undo at a time, in the order of their keys: an undo is about the deed before it."""
        self.said = Said()
        self.seen_at = self.memory.seen_at
        """When this project was looked at before this time, ms UTC; 0: never."""
        self.comes_back = 0 < self.seen_at < clock.now() - AWAY_MS
        """Whether the person has not been told yet what happened since."""
        self.pace = Pace(key_at=clock.monotonic())
        self.scope: Scope = next((scope for scope in SCOPES if scope == self.memory.scope), "all")
        self.status: StatusView | None = None
        self.trouble = ""
        """Why rows cannot be read at this moment; what was read before stays on the screen."""
        self.draining = False
        self.frozen_at: int | None = None
        """Since when the view stands still, ms UTC; None: it follows."""
        self.events_at_freeze = 0
        self.news = 0
        self.lag_ms = 0
        self.bell_is_due = False
        self._engine_seen = False

    def read_status(self) -> None:
        """Read the state of the project."""
        before, self.status = self.status, self.reader.status()
        if before is not None and before.rings is not None and (self.status.rings or 0) > before.rings:
            self.bell_is_due = True
        self._engine_seen = self._engine_seen or self.status.engine is not None
        if self.frozen_at is not None:
            self.news = max(self.reader.events_count() - self.events_at_freeze, 0)

    def freeze(self) -> None:
        """Let the view stand still."""
        self.events_at_freeze = self.reader.events_count()
        self.frozen_at = self.clock.now()
        self.news = 0

    def follow(self) -> None:
        """Let the view follow again."""
        self.frozen_at = None

    @property
    def engine_gone(self) -> bool:
        """Whether the engine that worked here has ended."""
        return self._engine_seen and self.status is not None and self.status.engine is None

    @property
    def starting(self) -> bool:
        """Whether the engine of this app has not shown itself yet."""
        return self.engine is not None and not self._engine_seen

    @property
    def read_only(self) -> str:
        """Why nothing can be changed from here; empty when it can."""
        if self.engine is None:
            if self.status is not None and self.status.engine is not None:
                return f"read-only: the engine of process {self.status.engine.pid} works here"
            return "read-only: no engine runs here; start `rivus` or `rivus --serve`"
        if self.engine_gone:
            if self.engine.attached():
                return "the engine has ended; when it is started again, this room goes on with it"
            return "the engine has ended; start `rivus` again"
        return ""

    @property
    def banner(self) -> str:
        """What a person should know at once; empty when all is well."""
        if self.trouble:
            return f"the state cannot be read: {self.trouble}"
        if self.draining:
            running = self.engine.running() if self.engine is not None else 0
            return f"DRAINING: {running} running, nothing new starts; q again stops now"
        if self.read_only:
            return self.note or self.read_only
        if self.engine is not None and (problem := self.engine.problem()):
            return problem
        if self.status is not None and self.status.problem:
            return self.status.problem
        if self.status is not None and self.status.bulk is not None:
            return progress(self.status.bulk)
        budget = self.status.budget if self.status is not None else None
        if budget is not None and budget.spent_usd_micros >= budget.limit_usd_micros:
            day = until(self.clock.now(), budget.resets_at)
            return f"GUARD HIT: {money(budget.limit_usd_micros)} a day is spent; what costs money goes on {day}"
        if self.frozen_at is not None:
            return f"FROZEN at {clock_time(self.frozen_at)}: the work goes on; f follows again"
        if self.engine is not None and self.engine.attached() and self.status is not None and self.status.engine:
            owner = self.status.engine
            return f"ATTACHED to the engine of process {owner.pid} ({owner.mode}); it goes on when you leave"
        return self.note or ""

    def banner_says(self, text: str) -> bool:
        """Whether the banner tells already what a toast would."""
        bulk = self.status.bulk if self.status is not None else None
        return bulk is not None and not bulk.is_open and text.endswith(bulk.said) and bulk.said in self.banner

    async def perform(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Run a command; what goes wrong becomes an outcome that says so."""
        async with self._in_turn(name):
            return await self._perform(name, args)

    def _in_turn(self, name: str) -> AbstractAsyncContextManager[None]:
        """Wait for the deeds before this one; what cannot be taken back, such as a question to a model, need not."""
        return self._turn if name == "redo" or COMMANDS[name].undo else nullcontext()

    async def _perform(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        outcome, _ = await self._ask(name, args)
        if outcome.ok and name not in ("undo", "reload") and not args.get("price"):
            self.session.record(
                str(args["name"]) if name == "bulk" else name, args.get("job"), outcome, self.clock.now()
            )
        return outcome

    async def perform_all(self, name: str, each: Sequence[Mapping[str, Any]]) -> list[CommandOutcome]:
        """Run a command several times, as one deed that is taken back as one."""
        async with self._in_turn(name):
            begun = len(self.session.deeds)
            outcomes = [await self._perform(name, args) for args in each]
            self.session.together(begun)
        return outcomes

    async def _ask(self, name: str, args: Mapping[str, Any]) -> tuple[CommandOutcome, bool]:
        """Run a command; also says whether the engine answered it, be it with a no."""
        if self.engine is None:
            return CommandOutcome(ok=False, message=self.read_only), False
        try:
            return await self.engine.command(name, args), True
        except RivusError as error:
            log.warning("%s was refused: %s", name, error)
            return CommandOutcome(ok=False, message=str(error)), False

    async def undo(self) -> tuple[CommandOutcome, str | None, tuple[str, ...]]:
        """Take back the last deed of this session, else the last of any; also says of which job and items it was.

        A deed that the engine will not take back is not tried again: the next undo is about the one before it.
        """
        async with self._turn:
            return await self._undo()

    async def _undo(self) -> tuple[CommandOutcome, str | None, tuple[str, ...]]:
        deed = self.session.last
        args = {} if deed is None else {"operation": deed.operation}
        outcome, answered = await self._ask("undo", args)
        if deed is None:
            return outcome, None, outcome.changed
        if outcome.ok:
            self.session.forget(deed)
        elif answered:
            self.session.give_up(deed)
            outcome = replace(outcome, message=f"cannot take back `{deed.message}`: {outcome.message}")
        before = self.session.last
        if before is not None and deed.group is not None and before.group == deed.group and (outcome.ok or answered):
            more, _, _ = await self._undo()
            outcome = replace(outcome, ok=outcome.ok and more.ok, message=f"{outcome.message}; {more.message}")
        return outcome, deed.job, deed.keys

    @staticmethod
    def can_undo(name: str, outcome: CommandOutcome) -> bool:
        """Whether `u` takes this back."""
        return outcome.ok and outcome.operation is not None and COMMANDS[name].undo
