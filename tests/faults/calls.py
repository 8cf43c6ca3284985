"""Fail the n-th call of the system, or the n-th request: for the sweep, beside the statements of scenes."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from engine.contracts.errors import RivusError
from engine.kit.http import Http, HttpError
from engine.store import upkeep
from engine.store.migrate import connect, migrations, prepare
from engine.store.state_dir import EngineLock, StateDir
from tests.factories import Ground
from tests.faults.goals.kills import _make_old
from tests.kit.web import Answer, reply, web
from tests.speed import slowness

_CALLS = ("open", "rename", "fsync", "pwrite", "unlink", "link", "mkdir", "chmod")
_WAYS = (errno.EIO, errno.ENOSPC, errno.EACCES, None)
"""How a call fails; None: the process ends there."""


class Ended(BaseException):
    """The process is gone."""


@contextmanager
def failing(at: int, way: int | None) -> Iterator[list[str]]:
    """The n-th call fails this way; yields the names of the calls so far."""
    seen: list[str] = []

    def wrap(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stands_in(*args: Any, **named: Any) -> Any:
            seen.append(name)
            if len(seen) == at:
                if way is None:
                    raise Ended
                raise OSError(way, os.strerror(way))
            return call(*args, **named)

        return stands_in

    with ExitStack() as stack:
        for name in _CALLS:
            stack.enter_context(patch.object(os, name, wrap(name, getattr(os, name))))
        yield seen


def _new(folder: Path) -> None:
    state = StateDir(folder / "new")
    state.create()
    lock = EngineLock(state, mode="serve", now=1)
    try:
        prepare(state.database)
    finally:
        lock.release()


def _upgrade(folder: Path) -> None:
    prepare(folder / "old" / "rivus.db", doubt=True)


def _backup(folder: Path) -> None:
    target = folder / "copy.db"
    if not target.exists():
        upkeep.backup(folder / "state" / "rivus.db", target)


def _restore(folder: Path) -> None:
    upkeep.restore(folder / "state" / "rivus.db", folder / "before.db", 1)


_FILES: tuple[tuple[Callable[[Path], None], str], ...] = (
    (_new, "new/rivus.db"), (_upgrade, "old/rivus.db"), (_backup, "copy.db"), (_restore, "state/rivus.db"),
)  # fmt: skip


def files(folder: Path, step: int) -> tuple[int, list[str]]:
    """Every `step`-th case of each scene: it says what is wrong, and the next try finds everything whole."""
    found: list[str] = []
    cases = 0
    origin = folder / "origin"
    ground = Ground(origin / "state")
    ground.add("a", "b")
    ground.finish()
    ground.close()
    _make_old(origin / "old" / "rivus.db", len(migrations()) - 2)
    upkeep.backup(origin / "state" / "rivus.db", origin / "before.db")
    for scene, result in _FILES:
        with _copied(origin, folder) as here, failing(0, None) as calls:
            scene(here)
        for n in range(len(calls) * len(_WAYS))[::step]:
            at, way = n // len(_WAYS) + 1, _WAYS[n % len(_WAYS)]
            cases += 1
            with _copied(origin, folder) as here:
                try:
                    with failing(at, way):
                        scene(here)
                except (RivusError, Ended):
                    pass
                except Exception as error:
                    found.append(f"{scene.__name__}, {calls[at - 1]} {at}: {type(error).__name__}: {error}")
                if (here / "state" / "rivus.db").exists() or not list(here.glob("state/rivus-re*")):
                    found += [f"{scene.__name__} {at}: {one}" for one in upkeep.check(here / "state" / "rivus.db")]
                scene(here)
                prepare(here / "state" / "rivus.db", doubt=True)
                found += [f"{scene.__name__} {at} again: {one}" for one in upkeep.check(here / result)]
                with closing(connect(here / "state" / "rivus.db")) as connection:
                    if connection.execute("SELECT count(*) FROM results").fetchone() != (2,):
                        found.append(f"{scene.__name__} {at}: results are lost")
    return cases, found


@contextmanager
def _copied(origin: Path, folder: Path) -> Iterator[Path]:
    here = folder / "here"
    shutil.copytree(origin, here)
    try:
        yield here
    finally:
        shutil.rmtree(here)


_GOOD = reply(200, b'{"n": 1}')
_BAD: tuple[Answer, ...] = (
    b"", b"HTTP/1.1 200 ok\r\ncontent-length: 90\r\n\r\nhalf", b"\x00\xff not http\r\n\r\n", reply(500), reply(429),
    reply(404), reply(302, location="http://127.0.0.1:1/"), reply(302, location="/page"), None,
    b"HTTP/1.1 200 ok\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello",
)  # fmt: skip
"""How a server fails: gone, half an answer, nonsense, errors, redirects to nowhere and in a circle, silence."""


async def _ask(bad: Answer, at: int, found: list[str]) -> None:
    """Three requests, of which the n-th is answered badly each time: a typed error, or all answers, within 2 s."""
    asked = 0

    def page() -> bytes:
        nonlocal asked
        asked += 1
        return bad if asked >= at and isinstance(bad, bytes) else _GOOD

    async with web(page=page, silent=None) as it:
        http = Http(allow=[f"127.0.0.1:{it.port}"], pause_s=0.0)
        began = time.monotonic()
        try:
            for n in range(1, 4):
                name = "silent" if bad is None and n == at else "page"
                answer = await http.get(f"{it.url}/{name}", timeout_s=0.5)
                if answer.json() != {"n": 1}:
                    found.append(f"a bad answer {bad!r} was handed on")
        except HttpError:
            pass
        except Exception as error:
            found.append(f"{bad!r} {at}: {type(error).__name__}: {error}")
        finally:
            await http.close()
        if time.monotonic() - began > 2.0 * slowness():
            found.append(f"{bad!r} {at}: it took {time.monotonic() - began:.1f} s")


def requests(step: int) -> tuple[int, list[str]]:
    """Every `step`-th case."""
    found: list[str] = []
    cases = [(bad, at) for bad in _BAD for at in (1, 2, 3)][::step]
    for bad, at in cases:
        asyncio.run(_ask(bad, at, found))
    return len(cases), found
