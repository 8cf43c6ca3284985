"""Two control rooms on one served engine: from the acknowledgement of a command to both showing what it did."""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure
from benchmarks.project import RIVUS, folder, served
from benchmarks.pty_room import Room, room
from engine.remote import RemoteEngine
from engine.store.state_dir import StateDir

ROUNDS: Final = 30
REST_S: Final = 0.4
JOBS: Final = """\
version: 1
jobs:
  waits:
    stages:
      - go: {handler: work.nothing, gate: go}
"""
WORK: Final = "async def nothing(ctx):\n    return {}\n"


def measures() -> Iterator[Figure]:
    """The median and the worst of all rounds, of the room that was later each time."""
    with folder({"jobs.yaml": JOBS, "work.py": WORK}) as root, served(_line(root), root):
        _rivus(root, "items", "add", "waits", "before all")
        with room(_line(root, "--fresh"), root) as one, room(_line(root, "--fresh"), root) as other:
            rooms = (one, other)
            for each in rooms:
                each.until("waits")
                each.quiet(1.0)
                each.press("2")
                each.sees("before all")
            engine = RemoteEngine(StateDir(root / "state"))
            key = engine.command_and_wait("add", {"job": "waits", "title": "the first"}).changed[0]
            took = [_round(engine, rooms, key, number) for number in range(ROUNDS)]
            engine.close()
    worst = max(took)
    setting = f"two rooms, {ROUNDS} commands"
    yield Figure(name="agree", value=statistics.median(took) * 1000, unit="ms", goal="<= 250", setting=setting)
    yield Figure(name="agree-worst", value=worst * 1000, unit="ms", goal="<= 250", setting=setting)


def _round(engine: RemoteEngine, rooms: tuple[Room, Room], key: str, number: int) -> float:
    """Call an item otherwise; returns seconds from the answer until both rooms have painted its new name."""
    for each in rooms:
        each.read_for(REST_S / len(rooms))
    title = f"round{number:03}"
    ended: list[float] = []

    def watch(each: Room) -> None:
        each.sees(title)
        ended.append(time.perf_counter())

    watchers = [threading.Thread(target=watch, args=(each,)) for each in rooms]
    for one in watchers:
        one.start()
    outcome = engine.command_and_wait("edit", {"job": "waits", "keys": [key], "title": title})
    answered = time.perf_counter()
    assert outcome.ok, outcome.message
    for one in watchers:
        one.join()
    return max(0.0, max(ended) - answered)


def _line(root: Path, *args: str) -> list[str | Path]:
    return [RIVUS, "--state", root / "state", "--trust", *args]


def _rivus(root: Path, *args: str) -> None:
    subprocess.run([str(part) for part in _line(root, *args)], cwd=root, check=True, capture_output=True, timeout=60)
