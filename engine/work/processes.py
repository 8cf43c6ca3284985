"""The pool of worker processes: started when first needed, one call at a time each, replaced when they end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from engine.work.wire import FRAME_LIMIT, HEADER, pack

log = logging.getLogger(__name__)

_LINE_LIMIT: Final = 65_536
"""Longest line of a worker's printed output that is kept whole."""


class WorkerDied(Exception):
    """The worker process ended while it ran the handler."""


class _Worker:
    """One process and its socket."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer
        self._printed = asyncio.get_running_loop().create_task(self._log_output(), name="worker-output")

    async def call(self, message: dict[str, Any], heard: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Send a call and return its end; logs and progress go to `heard` meanwhile."""
        try:
            self._writer.write(pack(message))
            await self._writer.drain()
            while True:
                (size,) = HEADER.unpack(await self._reader.readexactly(HEADER.size))
                if size > FRAME_LIMIT:
                    raise WorkerDied(f"the worker sent a frame of {size:,} bytes")
                answer: dict[str, Any] = json.loads(await self._reader.readexactly(size))
                if answer["kind"] in ("ended", "raised"):
                    return answer
                heard(answer)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            code = await self.process.wait()
            raise WorkerDied(_how(code)) from error

    def send_cancel(self) -> None:
        """Tell the handler that it should end."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._writer.write(pack({"kind": "cancel"}))

    async def kill(self) -> None:
        """End the process and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._writer.close()
        await self.process.wait()
        await asyncio.wait({self._printed}, timeout=1.0)
        self._printed.cancel()

    @property
    def is_alive(self) -> bool:
        return self.process.returncode is None

    async def _log_output(self) -> None:
        """What handlers print goes to the log, never to the screen."""
        assert self.process.stdout is not None
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                try:
                    line = await self.process.stdout.readline()
                except ValueError:
                    # Longer than the stream's limit: what was buffered is dropped.
                    continue
                if not line:
                    return
                log.info("printed by a handler: %s", line.decode("utf-8", "replace").rstrip())


def _how(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"the worker process was ended by {signal.Signals(-code).name}"
    return f"the worker process ended with code {code}"


class WorkerProcesses:
    """At most `size` processes; a call waits for a free one."""

    def __init__(self, size: int, *, folder: Path | None) -> None:
        self._folder = folder
        self._free = asyncio.Semaphore(size)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closing = False

    async def call(
        self, message: dict[str, Any], heard: Callable[[dict[str, Any]], None], *, started: Callable[[], None]
    ) -> dict[str, Any]:
        """Run one call in a worker; cancelling kills that worker, WorkerDied says how one ended by itself.

        `started` is called when a worker is free and the call begins.
        """
        async with self._free:
            worker = await self._take()
            started()
            ended = False
            try:
                answer = await worker.call(message, heard)
                ended = True
                return answer
            finally:
                if ended and not self._closing:
                    self._idle.append(worker)
                else:
                    self._all.discard(worker)
                    await asyncio.shield(worker.kill())

    def send_cancel(self) -> None:
        """Tell every handler that runs in a worker that it should end."""
        for worker in self._all.difference(self._idle):
            worker.send_cancel()

    async def _take(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            self._all.discard(worker)
            await worker.kill()
        worker = await self._spawn()
        self._all.add(worker)
        return worker

    async def _spawn(self) -> _Worker:
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # the working directory is data, it must not be importable
                "-m",
                "engine.work.worker",
                str(theirs.fileno()),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                limit=_LINE_LIMIT,
                env=_environment(),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        writer.write(pack({"kind": "start", "folder": str(self._folder) if self._folder else None}))
        return _Worker(process, reader, writer)

    async def retire(self) -> None:
        """Let running calls end, then end the workers; no new calls may come."""
        self._closing = True
        for worker in tuple(self._idle):
            self._idle.remove(worker)
            self._all.discard(worker)
            await worker.kill()

    async def close(self) -> None:
        """End all workers."""
        self._closing = True
        for worker in tuple(self._all):
            await worker.kill()
        self._all.clear()
        self._idle.clear()


def _environment() -> dict[str, str]:
    """The engine's environment, with the folder of this package on the path whatever the working directory is."""
    home = str(Path(__file__).parent.parent.parent)
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{home}{os.pathsep}{path}" if path else home}
