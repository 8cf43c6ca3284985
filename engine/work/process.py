"""One worker process as the engine sees it: started below its keeper, called, cancelled, killed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import resource
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from engine.kit import keeper
from engine.kit.frames import LENGTH
from engine.work.attempt_log import LINES_MAX
from engine.work.link import LINK_BROKEN
from engine.work.wire import FRAME_LIMIT, pack

log = logging.getLogger(__name__)

OPEN_FILES: Final = 1_024
FILE_SIZE: Final = 16 << 30
"""Largest file that a handler may write."""
PRINTED_MAX: Final = 1 << 20
"""Bytes of one call's printed output that are kept; the rest is read and dropped."""
_LINE_MAX: Final = 4_000
_CHUNK: Final = 65_536
_LEAST: Final = PRINTED_MAX // LINES_MAX
"""What a line counts for at least: short ones cost as much as these."""
_FLOOD_PAUSE_S: Final = 0.01
"""Between two chunks of output beyond its limit: who floods must not keep the engine busy."""
_LOOK_S: Final = 0.01
_KILL_S: Final = 10.0
"""How long a keeper may take to end what is below it."""
_ENDINGS: Final = {
    keeper.TOO_MANY_PROCESSES: f"the handler had more than {keeper.PROCESSES_MAX} processes at once and was killed",
    LINK_BROKEN: "the handler closed files that are not its own",
}


class WorkerDied(Exception):
    """The worker process ended while it ran the handler."""


class Hears(Protocol):
    """Whoever listens to a call."""

    def heard(self, message: dict[str, Any]) -> None:
        """The handler logged, printed or told its progress."""
        ...

    def asked(self, what: str, value: Any) -> Awaitable[Any]:
        """The handler asks for something and waits; what this raises it gets as an error."""
        ...


class WorkerProcess:
    """A process and its socket; one call at a time."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.process = process
        self.pid = 0
        """Process number of the worker itself, and of its group; `process` is its keeper."""
        self.spent = False
        """The process is not what it was, and must not be used again."""
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._call = 0
        self._hears: Hears | None = None
        self._room = PRINTED_MAX
        self._chewing = False
        """There is output that is read and not told yet."""
        self._printed = asyncio.get_running_loop().create_task(self._read_output(), name="worker-output")

    @classmethod
    async def start(
        cls, folder: Path | None, *, memory: int, http: Mapping[str, Any], code: Mapping[str, tuple[int, int]]
    ) -> WorkerProcess:
        """Start one; `folder` is that of jobs.yaml, `memory` the address space it may have, in bytes."""
        ours, theirs = socket.socketpair()
        limits = {
            resource.RLIMIT_AS: memory,
            resource.RLIMIT_FSIZE: FILE_SIZE,
            resource.RLIMIT_NOFILE: OPEN_FILES,
            resource.RLIMIT_CORE: 0,
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", keeper.__file__, str(theirs.fileno())),
                ",".join(f"{limit}={value}" for limit, value in limits.items()),
                # -P: the working directory is data, it must not be importable
                *(sys.executable, "-P", "-m", "engine.work.worker", str(theirs.fileno())),
                stdin=PIPE,
                stdout=PIPE,
                stderr=STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env=_environment(),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        try:
            reader, writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            process.kill()
            raise
        worker = cls(process, reader, writer)
        try:
            start = {"kind": "start", "folder": str(folder) if folder else None, "http": http, "code": code}
            writer.write(pack(start))
            worker.pid = int((await worker._frame())["pid"])
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            await worker.kill()
            raise WorkerDied(f"a worker process could not be started: {_how(process.returncode or 0)}") from error
        except BaseException:
            await asyncio.shield(worker.kill())
            raise
        return worker

    async def call(self, message: dict[str, Any], hears: Hears) -> dict[str, Any]:
        """Send a call and return its end; WorkerDied when the process ended first."""
        self._call = next(self._numbers)
        self._hears = hears
        self._room = PRINTED_MAX
        asked: set[asyncio.Task[None]] = set()
        try:
            self._tell_keeper(b"b")
            self._writer.write(pack({**message, "call": self._call}))
            await self._writer.drain()
            while True:
                answer = await self._frame()
                if answer.get("call") != self._call:
                    continue  # of something that an earlier call left running
                if answer["kind"] == "ask":
                    task = asyncio.ensure_future(self._answer(answer, hears))
                    asked.add(task)
                    task.add_done_callback(asked.discard)
                elif answer["kind"] in ("ended", "raised", "edited"):
                    self.spent = bool(answer.get("spent"))
                    await self._settle()
                    return answer
                else:
                    hears.heard(answer)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            code = await self._ended(_KILL_S)
            raise WorkerDied(_how(code)) from error
        finally:
            self._hears = None
            self._tell_keeper(b"i")
            for task in asked:
                task.cancel()

    async def _frame(self) -> dict[str, Any]:
        (size,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
        if size > FRAME_LIMIT:
            raise WorkerDied(f"the worker sent a frame of {size:,} bytes")
        try:
            told = json.loads(await self._reader.readexactly(size))
        except ValueError as error:
            raise WorkerDied("the handler wrote to the socket of its worker") from error
        if not isinstance(told, dict):
            raise WorkerDied("the handler wrote to the socket of its worker")
        return told

    async def _answer(self, question: dict[str, Any], hears: Hears) -> None:
        answer: dict[str, Any] = {"kind": "answer", "n": question["n"]}
        try:
            raw = pack({**answer, "value": await hears.asked(str(question["what"]), question["value"])})
        except Exception as error:
            raw = pack({**answer, "error": f"{type(error).__name__}: {error}"[:_LINE_MAX]})
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._writer.write(raw)

    def send_cancel(self) -> None:
        """Tell the handler that it should end."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._writer.write(pack({"kind": "cancel", "call": self._call}))

    async def kill(self) -> None:
        """End the process and all that it started."""
        assert self.process.stdin is not None
        if self.pid and self.is_alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)  # at once, whatever it is forking
        self.process.stdin.close()  # the keeper kills everything below itself, and ends
        self._writer.close()
        if await self._ended(_KILL_S) is None:
            log.error("a worker's keeper did not end; it was killed, and something it started may be left")
            for pid in (self.process.pid, *keeper.descendants(self.process.pid)):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            await self._ended(1.0)
        await asyncio.wait({self._printed}, timeout=1.0)
        self._printed.cancel()
        # asyncio keeps the pipes open while any process has the other end, whatever became of ours.
        transport: Any = getattr(self.process, "_transport", None)
        if transport is not None:
            transport.close()

    async def _ended(self, seconds: float) -> int | None:
        """Wait for the end of the keeper; returns its exit code. asyncio's own `wait` would wait for the end of every
        process that has the other end of its pipes, too."""
        until = asyncio.get_running_loop().time() + seconds
        while self.process.returncode is None and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)  # (asyncio tells of it in no other way)
        return self.process.returncode

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self.process.returncode is None

    def _tell_keeper(self, word: bytes) -> None:
        stdin = self.process.stdin
        if stdin is not None and not stdin.is_closing():
            with contextlib.suppress(ConnectionError, RuntimeError):
                stdin.write(word)

    # What handlers print

    async def _settle(self) -> None:
        """Let what was printed before the end of a call be read as its own: it came over another pipe."""
        for _ in range(3):
            await asyncio.sleep(0)
        while self._chewing:  # noqa: ASYNC110 (a few turns at most: an event would need as many)
            await asyncio.sleep(0)

    async def _read_output(self) -> None:
        """What handlers print goes to the log, never to the screen; too much of it is read and dropped."""
        assert self.process.stdout is not None
        rest = b""
        while chunk := await self.process.stdout.read(_CHUNK):
            if self._room <= 0:
                await asyncio.sleep(_FLOOD_PAUSE_S)
                continue
            self._chewing = True
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE_MAX:
                lines.append(rest)
                rest = b""
            for line in lines:
                self._print(line)
                if self._room <= 0:
                    self._print(b"(it prints too much: the rest of this call's output is dropped)")
                    break
            await asyncio.sleep(0)  # what is there already is read without waiting; others want their turn
            self._chewing = False
        if rest:
            self._print(rest)

    def _print(self, line: bytes) -> None:
        self._room -= max(len(line), _LEAST)
        text = line[:_LINE_MAX].decode("utf-8", "replace").rstrip()
        if self._hears is not None:
            self._hears.heard({"kind": "printed", "text": text})
        else:
            log.info("printed between two calls: %s", text)


def _how(code: int | None) -> str:
    if code is None:
        return "the worker process closed its socket"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"the worker process was ended by {signal.Signals(-code).name}"
    return _ENDINGS.get(code, f"the worker process ended with code {code}")


def _environment() -> dict[str, str]:
    """The engine's environment, with the folder of this package on the path whatever the working directory is."""
    home = str(Path(__file__).parent.parent.parent)
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{home}{os.pathsep}{path}" if path else home}
