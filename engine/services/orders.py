"""Commands of people, each carried out by the part that it is for, and what they mean for what runs now."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

from engine.contracts.commands import CommandOutcome
from engine.services.adjusting import Adjusting
from engine.services.bulks import Bulks
from engine.services.reload import Reload
from engine.store import claims, redo
from engine.store.writer import Writer

Part = Callable[[str, Mapping[str, Any]], Awaitable[CommandOutcome]]

_STARTERS: Final = frozenset({"run", "retry", "answer", "start", "reset", "probe", "clear-errors", "resume", "bulk"})
"""Commands that start work: what a person has mended just before is to run, and nothing older."""


class Orders:
    """Lives on the engine's loop; every command has been checked before."""

    def __init__(
        self,
        *,
        writer: Writer,
        reload: Reload,
        readjust: Callable[[], Awaitable[object]],
        run_discovery: Callable[[str], bool],
        models: tuple[Collection[str], Part],
        judge: Callable[[Mapping[str, Any]], Awaitable[CommandOutcome]],
        look_at_jobs: Callable[[], Awaitable[None]],
        look_at_failures: Callable[[], None],
        look_at_times: Callable[[], None],
        alive: Callable[[], Any],
        revoke: Callable[[Collection[tuple[int, int]]], None],
    ) -> None:
        """`readjust` applies what jobs.yaml says anew; `models`: the commands that ask a model, and who carries them
        out; `judge` puts a change of code to a model."""
        self._writer = writer
        self._reload = reload
        self._readjust = readjust
        self._run_discovery = run_discovery
        self._models = models
        self._judge = judge
        self._look_at_jobs = look_at_jobs
        self._look_at_failures = look_at_failures
        self._look_at_times = look_at_times
        self._alive = alive
        self._revoke = revoke
        self.bulks = Bulks(writer, self._after)
        self.adjusting = Adjusting(writer, lambda: reload.project, self._readjust)

    async def run(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Run one command."""
        if name in _STARTERS:
            await self._reload.take_code()
        names, part = self._models
        if name in names:
            return await part(name, args)
        match name:
            case "reload":
                applied, message = await self._reload.now()
                return CommandOutcome(ok=applied, message=message)
            case "run":
                return self._discover(str(args["job"]))
            case "judge":
                return await self._judge(args)
            case "bulk":
                return await self.bulks.begin(args)
            case "adjust":
                return await self.adjusting.set(args)
            case "redo":
                return await self._redo()
            case "undo":
                if (outcome := await self.bulks.undo(args.get("operation"))) is not None:
                    return outcome
        return await self._change(name, args)

    async def _change(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        from engine.services import commands

        def change(connection: sqlite3.Connection, now: int) -> CommandOutcome:
            # Not before: a reload may wait in front of it, and what an older plan takes for ready need not be.
            return commands.transition(self._writer.plan, name, args)(connection, now)

        outcome = await self._writer.change(change)
        if name == "undo" and outcome.data.get("limits"):
            await self._readjust()
        await self._after(name if outcome.ok else "")
        return outcome

    def _discover(self, name: str) -> CommandOutcome:
        from engine.services import commands

        job = commands.find_job(self._writer.plan, name)
        if not self._run_discovery(job.spec.name):
            why = job.spec.broken or "it has no discovery"
            return CommandOutcome(ok=False, message=f"{job.spec.name} cannot be run: {why}")
        return CommandOutcome(ok=True, message=f"{job.spec.name} runs now", changed=(job.spec.name,))

    async def _redo(self) -> CommandOutcome:
        found = await self._writer.change(lambda connection, _now: redo.find(connection))
        if found is None:
            return CommandOutcome(ok=False, message="there is nothing to do again")
        if found.is_bulk:
            outcome = await self.bulks.redo(found.number)
        else:
            from engine.services import commands

            commands.check(found.name, found.args)
            outcome = await self._change(found.name, found.args)
        if (operation := outcome.operation) is not None:
            await self._writer.change(lambda connection, _now: redo.done(connection, found.number, operation))
        return outcome

    async def _after(self, name: str) -> None:
        """What a command means for what runs now."""
        from engine.services import commands

        if name in ("pause", "resume", "undo", *commands.DOCTORS):
            await self._look_at_jobs()
        if name in ("resume", *commands.DOCTORS):
            self._look_at_failures()
        if name in ("drop", "cancel", "merge", "reset", "undo"):
            alive = self._alive()
            self._revoke(await self._writer.change(lambda connection, _now: claims.lost(connection, alive)))
        if name in ("snooze", "undo"):
            self._look_at_times()
        self._writer.look()
