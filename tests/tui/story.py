"""Run the control room on canned rows and press keys: `async with open_room() as room: await room.press("3", "a")`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from engine.kit.clock import ManualClock
from rivus_tui.app import RivusApp
from rivus_tui.keymap import PLAIN, Keymap
from rivus_tui.memory import Memory
from rivus_tui.screens.room import Room
from tests.tui.fakes import FakeEngine, FakeReader
from tests.tui.pictures import frame
from tests.tui.rows import NOW, Sample, sample


@dataclass
class Story:
    """An open control room."""

    app: RivusApp
    pilot: Pilot[int]
    engine: FakeEngine
    reader: FakeReader
    clock: ManualClock

    @property
    def commands(self) -> list[tuple[str, dict[str, Any]]]:
        """Commands that reached the engine."""
        return self.engine.commands

    @property
    def room(self) -> Room:
        """The screen that is not a dialog."""
        room = self.app.room
        assert room is not None
        return room

    @property
    def toasts(self) -> list[str]:
        """What was said in toasts, the oldest first."""
        return [one.text for one in self.app.desk.said.all for _ in range(one.times)]

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until commands have been answered."""
        await self.pilot.press(*keys)
        await self.app.workers.wait_for_complete()
        await self.pilot.pause()

    def text(self) -> str:
        """The screen as text."""
        return frame(self.app)

    def line(self, part: str) -> str:
        """The first line of the screen that holds `part`."""
        return next((line for line in self.text().splitlines() if part in line), "")


@asynccontextmanager
async def open_room(
    rows: Sample | None = None,
    *keys: str,
    size: tuple[int, int] = (80, 24),
    engine: FakeEngine | None = None,
    viewer: bool = False,
    note: str | None = None,
    root: Path | None = None,
    theme: str | None = None,
    keymap: Keymap = PLAIN,
    memory: Memory | None = None,
) -> AsyncIterator[Story]:
    """Open the control room and press keys."""
    clock = ManualClock(NOW)
    reader = FakeReader(rows or sample())
    used = engine or FakeEngine()
    app = RivusApp(
        engine=None if viewer else used, reader=reader, project="atlas", clock=clock, note=note, root=root,
        keymap=keymap, memory=memory,
    )  # fmt: skip
    if theme is not None:
        app.theme = theme
    async with app.run_test(size=size, notifications=True) as pilot:
        for field in app.query(Input):
            field.cursor_blink = False
        story = Story(app, pilot, used, reader, clock)
        await story.press(*keys)
        yield story
