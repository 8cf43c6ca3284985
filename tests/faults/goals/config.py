"""R12: a jobs.yaml that is cut at every byte, damaged, and saved by editors of every kind while it is watched."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from engine.config.load import load_project
from engine.contracts.errors import ConfigError
from engine.contracts.spec import ProjectSpec
from engine.kit.clock import ManualClock
from engine.services.reload import SETTLED_LOOKS, SETTLED_LOOKS_REMOVAL, Reload
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.goals.text import _mutated
from tests.faults.simulation.run import quietly

_SLOW_S = 0.25
_MODULE = "watched_handlers"
_JOBS = tuple(f"job{n}" for n in range(18))


def _config(mark: int) -> str:
    lines = [f"# configuration {mark}", "version: 1", f"settings: {{grace: {mark + 1}s}}", "jobs:"]
    for name in _JOBS:
        lines += [f"  {name}:", f"    title: the job {name}", "    stages:"]
        lines += [
            f"      - {stage}: {{handler: {_MODULE}.work, attempts: {mark % 5 + 1}}}" for stage in ("read", "sum")
        ]
    return "\n".join(lines) + "\n"


class _Watched:
    """A file that is watched as the engine does, look by look."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "jobs.yaml"
        self.file.write_text(_config(0))
        self.applied: list[ProjectSpec] = []
        self.problems: list[str | None] = []
        self.reload = Reload(
            project=load_project(self.file, folder), clock=ManualClock(), apply=self._apply, tell=self._tell
        )

    async def _apply(self, project: ProjectSpec) -> list[str]:
        self.applied.append(project)
        return ["changed"]

    async def _tell(self, problem: str | None) -> None:
        self.problems.append(problem)

    async def look(self, times: int) -> None:
        for _ in range(times):
            await self.reload._look()


def config(lane: Lane) -> Reading:
    module = sys.modules[_MODULE] = ModuleType(_MODULE)

    async def work(_ctx: object) -> dict[str, str]:
        return {}

    vars(module)["work"] = work
    try:
        with quietly(), tempfile.TemporaryDirectory(prefix="rivus-config-") as folder:
            return asyncio.run(_all(lane, Path(folder)))
    finally:
        del sys.modules[_MODULE]


async def _all(lane: Lane, folder: Path) -> Reading:
    found: list[str] = []
    whole = _config(0).encode()
    cuts = list(range(len(whole)))[:: max(1, len(whole) // lane.n(fast=16, deep=len(whole)))]
    slowest = 0.0
    for at in cuts:
        slowest = max(slowest, await _cut(folder, whole[:at], at, found))
    chance = random.Random(12)
    damages = lane.n(fast=20, deep=5_000)
    for n in range(damages):
        slowest = max(slowest, await _cut(folder, _mutated(chance, whole), f"damage {n}", found))
    saves = lane.n(fast=12, deep=200)
    await _saves(folder, saves, found)
    figure = (
        f"{len(cuts):,} cuts, {damages:,} damages, {saves} saves, {len(found)} wrong, slowest {slowest * 1000:.0f} ms"
    )
    return readings(found, figure)


async def _cut(folder: Path, raw: bytes, what: object, found: list[str]) -> float:
    """Put the damaged file there for as long as an editor might, then the whole one again."""
    watched = _Watched(folder)
    watched.file.write_bytes(raw)
    began = time.thread_time()
    try:
        load_project(watched.file, folder)
    except ConfigError as error:
        if not error.problems:
            found.append(f"{what}: refused without a reason")
    seconds = time.thread_time() - began
    if seconds > _SLOW_S:
        found.append(f"{what}: {seconds:.2f} s")
    await watched.look(SETTLED_LOOKS)
    lost = [set(_JOBS) - {job.name for job in project.jobs} for project in watched.applied]
    if any(lost):
        found.append(f"{what}: {lost} lost after {SETTLED_LOOKS} looks")
    watched.file.write_text(_config(0))
    await watched.look(SETTLED_LOOKS + 1)
    if watched.reload.project.settings.grace_s != 1.0 or len(watched.reload.project.jobs) != len(_JOBS):
        found.append(f"{what}: the whole file is not in force again")
    return seconds


def _in_place(file: Path, text: str) -> Iterator[None]:
    file.write_text(text)
    yield


def _by_rename(file: Path, text: str) -> Iterator[None]:
    new = file.with_suffix(".tmp")
    new.write_text(text[: len(text) // 2])
    yield
    new.write_text(text)
    os.replace(new, file)
    yield


def _in_pieces(file: Path, text: str) -> Iterator[None]:
    with file.open("w") as handle:
        for at in range(0, len(text), len(text) // 4 + 1):
            handle.write(text[at : at + len(text) // 4 + 1])
            handle.flush()
            yield


def _with_backup(file: Path, text: str) -> Iterator[None]:
    os.replace(file, file.with_suffix(".yaml~"))
    yield
    file.write_text(text)
    yield


def _anew(file: Path, text: str) -> Iterator[None]:
    file.unlink()
    yield
    file.write_text("")
    yield
    file.write_text(text)


def _twice(file: Path, text: str) -> Iterator[None]:
    file.write_text(text.replace("read", "raed", 1))
    yield
    file.write_text(text)


_STYLES: tuple[Callable[[Path, str], Iterator[None]], ...] = (
    _in_place, _by_rename, _in_pieces, _with_backup, _anew, _twice,
)  # fmt: skip


async def _saves(folder: Path, saves: int, found: list[str]) -> None:
    """Save again and again, with a look of the engine between any two steps of an editor."""
    watched = _Watched(folder)
    for n in range(1, saves + 1):
        style = _STYLES[n % len(_STYLES)]
        for _ in style(watched.file, _config(n)):
            await watched.look(1)
        await watched.look(SETTLED_LOOKS_REMOVAL + 1)
        if watched.reload.project.settings.grace_s != n + 1:
            found.append(f"{style.__name__} {n}: not applied")
    whole = {(project.settings.grace_s, len(project.jobs)) for project in watched.applied}
    if strange := whole - {(float(n + 1), len(_JOBS)) for n in range(saves + 1)}:
        found.append(f"states that nobody wrote were applied: {strange}")
    if len(watched.applied) > saves:
        found.append(f"{saves} saves gave {len(watched.applied)} reloads")


GOALS = [Goal("R12", "configuration", "0 jobs lost, 0 half states, refused in ≤ 250 ms", config, minutes=8)]
