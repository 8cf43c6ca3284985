"""The door of a running engine: what comes in over its socket, from friends and from others."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.errors import EngineStopped, UseError
from engine.contracts.spec import ProjectSpec, Settings
from engine.facade import Engine
from engine.kit import unix_socket
from engine.kit.frames import ANSWER_MAX, REQUEST_MAX, Frames, encode
from engine.remote import RemoteEngine
from engine.services import door as door_part
from engine.services.door import Door
from engine.store.reader import Reader
from engine.store.state_dir import StateDir
from tests.acceptance.waiting import wait_until
from tests.factories import job, stage

STRANGER = """
import os, socket, sys
os.setuid(65534)
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except PermissionError:
    print("refused")
"""


def handler(ctx: Any) -> dict[str, Any]:
    return {}


def started(folder: Path) -> Engine:
    one = job("docs", stage("read", handler="tests.services.test_door.handler"))
    spec = ProjectSpec(root=folder, source=None, settings=Settings(), jobs=(one,))
    engine = Engine(spec, StateDir(folder / "state"), mode="serve")
    engine.start()
    return engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = started(tmp_path)
    yield made
    made.stop_and_wait(drain=False)


@pytest.fixture
def remote(engine: Engine) -> Iterator[RemoteEngine]:
    made = RemoteEngine(engine.state)
    yield made
    made.close()


def raw(engine: Engine) -> socket.socket:
    """A connection that has been greeted."""
    line = unix_socket.connect(engine.state.socket, timeout_s=10)
    greeting = next(Frames(REQUEST_MAX).feed(line.recv(1 << 16)))
    assert greeting["pid"] == os.getpid()
    return line


def answers(line: socket.socket) -> Iterator[dict[str, Any]]:
    frames = Frames(ANSWER_MAX)
    while data := line.recv(1 << 16):
        yield from (told for told in frames.feed(data) if "wake" not in told)


def job_state(engine: Engine) -> str:
    reader = Reader(engine.state, project="test")
    try:
        return reader.jobs()[0].state
    finally:
        reader.close()


def test_command_lands_and_everybody_is_woken(engine: Engine, remote: RemoteEngine) -> None:
    woken: list[str] = []
    engine.subscribe(lambda: woken.append("here"))
    leave = remote.subscribe(lambda: woken.append("there"))
    outcome = remote.command_and_wait("pause", {"job": "docs", "why": "a look"})
    assert (outcome.ok, outcome.changed, job_state(engine)) == (True, ("docs",), "paused")
    wait_until(lambda: {"here", "there"} <= set(woken), lambda: woken)
    leave()
    assert remote.command_and_wait("undo", {"operation": outcome.operation}).ok
    assert job_state(engine) == "active"


def test_what_is_wrong_is_said_as_in_the_engine_itself(engine: Engine, remote: RemoteEngine) -> None:
    for name, args in (("dance", {}), ("pause", {}), ("pause", {"job": "nope"}), ("pause", {"job": "docs", "x": 1})):
        with pytest.raises(UseError) as here:
            engine.command_and_wait(name, args)
        with pytest.raises(UseError) as there:
            remote.command_and_wait(name, args)
        assert str(there.value) == str(here.value)
    with pytest.raises(UseError, match="fewer keys at a time"):
        remote.command_and_wait("accept", {"job": "docs", "keys": ["x" * 100] * 20_000})
    assert remote.command_and_wait("pause", {"job": "docs"}).ok


async def test_many_at_once_each_get_their_own_answer(engine: Engine) -> None:
    remotes = [RemoteEngine(engine.state) for _ in range(8)]
    try:
        asked = [
            one.command("accept", {"job": "docs", "keys": [f"k{at}-{n}"]})
            for at, one in enumerate(remotes)
            for n in range(40)
        ]
        outcomes = await asyncio.gather(*asked)
    finally:
        for one in remotes:
            one.close()
    keys = [next(iter(outcome.skipped)) for outcome in outcomes]
    assert keys == [f"k{at}-{n}" for at in range(8) for n in range(40)]


def test_stop_ends_the_engine_and_answers_first(engine: Engine, remote: RemoteEngine) -> None:
    assert "the engine stops" in remote.command_and_wait("stop", {"drain": True}).message
    assert engine.stopped.wait(timeout=20)
    assert not engine.state.socket.exists()
    with pytest.raises(EngineStopped):
        remote.command_and_wait("pause", {"job": "docs"})


@contextmanager
def bereft(folder: Path) -> Iterator[RemoteEngine]:
    """Attached to an engine that has ended, and told so."""
    first = started(folder)
    remote = RemoteEngine(first.state)
    try:
        first.stop_and_wait(drain=False)
        wait_until(lambda: not remote._found.done(), lambda: "nobody said that the engine has ended")
        yield remote
    finally:
        remote.close()


def test_attached_come_back_with_the_next_engine(tmp_path: Path) -> None:
    with bereft(tmp_path) as remote:
        second = started(tmp_path)
        try:
            wait_until(lambda: _answers(remote), lambda: "the next engine was not found")
        finally:
            second.stop_and_wait(drain=False)


async def test_command_waits_for_an_engine_that_was_not_found_yet(tmp_path: Path) -> None:
    with bereft(tmp_path) as remote:
        early = asyncio.create_task(remote.command("pause", {"job": "docs"}))
        await asyncio.sleep(0)
        second = started(tmp_path)
        try:
            assert (await early).ok
            assert (await remote.command("resume", {"job": "docs"})).ok
        finally:
            second.stop_and_wait(drain=False)
    with pytest.raises(EngineStopped):
        await remote.command("pause", {"job": "docs"})


async def test_command_to_an_engine_that_stays_away_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.remote.FIND_S", 0.01)
    first = started(tmp_path)
    remote = RemoteEngine(first.state)
    first.stop_and_wait(drain=False)
    try:
        with pytest.raises(EngineStopped, match="the engine has ended"):
            await remote.command("pause", {"job": "docs"})
    finally:
        remote.close()


def _answers(remote: RemoteEngine) -> bool:
    try:
        return remote.command_and_wait("pause", {"job": "docs"}) is not None
    except EngineStopped:
        return False


def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(EngineStopped, match="no engine answers"):
        RemoteEngine(StateDir(tmp_path))


def test_ten_thousand_malformed_frames_hurt_nobody(engine: Engine, remote: RemoteEngine) -> None:
    chance = random.Random(7)
    good = encode({"id": 1, "command": "pause", "args": {"job": "nope"}})
    sent = 0
    while sent < 10_000:
        line = raw(engine)
        with line:
            for _ in range(chance.randrange(1, 8)):
                sent += 1
                try:
                    line.sendall(_malformed(chance, good))
                except OSError:
                    break
    assert remote.command_and_wait("pause", {"job": "docs"}).ok
    assert job_state(engine) == "paused"


def _malformed(chance: random.Random, good: bytes) -> bytes:
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 60))
    if kind == 1:
        return struct.pack(">I", chance.randrange(1 << 20, 1 << 32)) + good
    if kind == 2:
        cut = bytearray(good)
        cut[chance.randrange(len(cut))] ^= 1 << chance.randrange(8)
        return bytes(cut)
    if kind == 3:
        return encode({"id": "one", "command": "pause"})
    if kind == 4:
        value = chance.choice([None, 1, [], "pause", {"job": {}}, {"keys": [[]]}])
        return encode({"id": 1, "command": value, "args": value, "wait": value} if chance.random() < 0.5 else {"id": 1})
    return encode(
        {
            "id": 1,
            "command": chance.choice(["accept", "undo", "snooze", "\x1b]0;x\x07"]),
            "args": {"job": "\x00", "keys": "a", "operation": 1e308},
        }
    )


@pytest.mark.parametrize(
    "request_",
    [
        {"id": 1},
        {"id": 1, "command": 5, "args": {}},
        {"id": 1, "command": "pause", "args": []},
        {"id": 1, "wait": {"job": 5}},
        {"id": 1, "wait": {"job": None, "wait_s": -1}},
        {"id": 1, "wait": {"job": None, "wait_s": 1e300}},
        {"id": 1, "command": "stop", "args": {"drain": "yes"}},
    ],
)
def test_wrong_request_is_answered_and_the_line_stays(engine: Engine, request_: dict[str, Any]) -> None:
    with raw(engine) as line:
        line.sendall(encode(request_))
        told = next(answers(line))
        assert told["error"]["kind"] == "UseError"
        line.sendall(encode({"id": 2, "command": "pause", "args": {"job": "docs"}}))
        assert next(answers(line))["outcome"]["ok"]


def test_waiting_ends_when_nothing_is_left(remote: RemoteEngine) -> None:
    assert remote.ask_drained("docs").result(timeout=20).ok


def test_socket_is_for_its_owner_only(engine: Engine) -> None:
    assert stat.S_IMODE(engine.state.socket.stat().st_mode) == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_cannot_even_reach_it(engine: Engine) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, str(engine.state.socket)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "refused\n"


async def test_another_user_is_shown_out_even_with_the_rights(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with _open(tmp_path, uid=lambda _: os.getuid() + 1):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "engine.sock")
        assert await reader.read() == b""
        writer.close()
    assert "refused a guest" in caplog.text


async def test_guest_that_stalls_in_a_message_is_shown_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_part, "STALL_S", 0.05)
    async with _open(tmp_path):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "engine.sock")
        writer.write(b"\x00\x00")
        told = await reader.read()
        assert json.loads(told[4:])["rivus"] == 1
        writer.close()


async def test_guests_beyond_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_part, "GUESTS_MAX", 2)
    async with _open(tmp_path):
        lines = [await asyncio.open_unix_connection(tmp_path / "engine.sock") for _ in range(3)]
        first = [await reader.read(4) for reader, _ in lines]
        assert [bool(told) for told in first] == [True, True, False]
        for _, writer in lines:
            writer.close()


async def test_whoever_has_left_is_not_waited_for(tmp_path: Path) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(_job: str | None, _wait_s: float) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with _open(tmp_path, wait=wait):
        _, writer = await asyncio.open_unix_connection(tmp_path / "engine.sock")
        writer.write(encode({"id": 1, "wait": {"job": None, "wait_s": 0}}))
        await begun.wait()
        writer.close()
        async with asyncio.timeout(5):
            await ended.wait()


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    engine = started(folder)
    try:
        remote = RemoteEngine(engine.state)
        assert remote.command_and_wait("pause", {"job": "docs"}).ok
        remote.close()
    finally:
        engine.stop_and_wait(drain=False)


class _open:
    """A door of its own, on this loop."""

    def __init__(
        self, folder: Path, *, wait: door_part.Wait | None = None, **options: Callable[[Any], int | None]
    ) -> None:
        async def never(*_: object) -> Any:
            raise UseError("nothing is done here")

        self._door = Door(
            folder / "engine.sock", epoch=1, command=never, wait=wait or never, problem=lambda: None, **options
        )

    async def __aenter__(self) -> Door:
        await self._door.open()
        return self._door

    async def __aexit__(self, *error: object) -> None:
        await self._door.close()
