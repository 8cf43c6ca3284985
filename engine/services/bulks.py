"""Commands on sets of items while they run: one batch a transaction, so that others have their turn in between."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from engine.contracts.bulk import BULK
from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped, StateError, UseError
from engine.kit.safe_text import safe_line
from engine.kit.tasks import beside, end_task
from engine.rules.id_set import pack, unpack
from engine.store import bulks
from engine.store.bulks import Bulk
from engine.store.writer import Writer

log = logging.getLogger(__name__)

BATCH: Final = 1_000
"""Items in one transaction: some 30 ms."""
_AGAIN_S: Final = 1.0
"""How long to wait after the state file could not be written."""


class Bulks:
    """Lives on the engine's loop."""

    def __init__(self, writer: Writer, after: Callable[[str], Awaitable[None]]) -> None:
        """`after(name)` is awaited when a command, or the undo of one, has come to its end."""
        self._writer = writer
        self._after = after
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Go on with what a stop or a crash has interrupted."""
        for number in await self._writer.change(lambda connection, _now: bulks.unfinished(connection)):
            self._drive(number)

    async def stop(self) -> None:
        """End between two batches; the next start goes on."""
        for task in tuple(self._tasks.values()):
            await end_task(task)

    async def begin(self, args: Mapping[str, Any]) -> CommandOutcome:
        """Begin a command on a set; returns at once."""
        name, targets = str(args["name"]), str(args["targets"])
        more = {key: args[key] for key in BULK[name] if key in args}
        if why := safe_line(str(more.pop("why", ""))):
            more["why"] = why

        def journal(connection: sqlite3.Connection, now: int) -> Bulk:
            return bulks.begin(connection, name, more, targets, now)

        begun = await self._writer.change(journal)
        self._drive(begun.view.operation)
        return _outcome(f"{name} of {_items(begun.view.total)} has begun", begun)

    async def undo(self, operation: int | None) -> CommandOutcome | None:
        """Take a command on a set back, all of it; None when the undo is about something else."""
        number = await self._writer.change(lambda connection, _now: bulks.to_undo(connection, operation))
        if number is None:
            return None
        await self._writer.change(lambda connection, now: bulks.take_back(connection, number, now))
        if (task := self._tasks.get(number)) is not None:
            await asyncio.wait({task})
        await asyncio.wait({self._drive(number)})
        ended = await self._writer.change(lambda connection, _now: bulks.find(connection, number))
        if ended.view.state != "undone":
            raise EngineStopped("the engine stops; it goes on taking it back at the next start")
        return _outcome(ended.view.said, ended, ok=ended.view.restored > 0 or ended.view.changed == 0)

    async def redo(self, number: int) -> CommandOutcome:
        """Do again what was taken back of a command on a set."""

        def again(connection: sqlite3.Connection, now: int) -> Bulk:
            before = bulks.find(connection, number)
            items = bulks.to_redo(connection, number)
            if not items:
                raise UseError("nothing of it was taken back")
            return bulks.begin(connection, before.view.name, before.args, pack(items), now)

        begun = await self._writer.change(again)
        self._drive(begun.view.operation)
        return _outcome(f"{begun.view.name} of {_items(begun.view.total)} has begun again", begun)

    def _drive(self, number: int) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._run(number), name=f"bulk {number}")
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None) if self._tasks.get(number) is task else None)
        return task

    async def _run(self, number: int) -> None:
        targets: list[int] | None = None
        while True:
            try:
                if targets is None:
                    before = await self._writer.change(lambda connection, _now: bulks.find(connection, number))
                    targets = await beside(unpack, before.targets)
                bulk = await self._writer.change(self._step(number, targets))
            except StateError:
                await asyncio.sleep(_AGAIN_S)  # the writer says why
                continue
            except EngineStopped:
                return
            except Exception:
                log.exception("operation %d ended on an error", number)
                return
            if bulk.view.state in ("done", "undone"):
                await self._after("undo" if bulk.view.state == "undone" else bulk.view.name)
                return

    def _step(self, number: int, targets: list[int]) -> Callable[[sqlite3.Connection, int], Bulk]:
        return lambda connection, now: bulks.step(connection, self._writer.plan, number, targets, BATCH, now)


def check(args: Mapping[str, Any]) -> None:
    """UseError for a command that cannot be given to a set, or lacks something."""
    name = args["name"]
    if name not in BULK:
        raise UseError(f"`bulk`: there is no `{name}` for many items; there are: {', '.join(BULK)}")
    if not isinstance(args["targets"], str):
        raise UseError("`bulk`: targets are a packed set")
    needed = [one for one in BULK[name] if one != "why"]
    if missing := [one for one in needed if one not in args]:
        raise UseError(f"`bulk`: `{name}` needs {', '.join(missing)}")
    for text in ("why", "stage"):
        if text in args and not isinstance(args[text], str):
            raise UseError(f"`bulk`: {text} is a text")


def _outcome(message: str, bulk: Bulk, *, ok: bool = True) -> CommandOutcome:
    data = {"total": bulk.view.total, "changed": bulk.view.changed, "restored": bulk.view.restored}
    return CommandOutcome(ok=ok, message=message, operation=bulk.view.operation, data=data)


def _items(n: int) -> str:
    return f"{n:,} {'item' if n == 1 else 'items'}"
