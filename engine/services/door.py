"""The door of a running engine: a Unix socket over which apps and command lines of the same user give commands.

Whoever comes in speaks frames of `engine.contracts.door`. A guest that sends what is no frame, stalls in the middle of
one, or does not read what it is told is shown out; no guest can hold up the engine, which writes without waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from engine.contracts.commands import CommandOutcome
from engine.contracts.door import PROTOCOL, error_to_wire, outcome_to_wire
from engine.contracts.errors import RivusError, UseError
from engine.kit.frames import REQUEST_MAX, FrameError, Frames, encode
from engine.kit.tasks import end_task
from engine.kit.unix_socket import listen, peer_uid

log = logging.getLogger(__name__)

GUESTS_MAX: Final = 64
"""Connections at a time."""
REQUESTS_MAX: Final = 16
"""Requests of one guest that may be under way; it is not read from until one is answered."""
STALL_S: Final = 10.0
"""How long a frame may take from its first byte to its last."""
UNREAD_MAX: Final = 1 << 27
"""Bytes that a guest may leave unread; more, and it is shown out."""
_READ: Final = 1 << 16
_REST_S: Final = 0.1
"""Between two wake-ups of guests, which read four times a second at most."""

Command = Callable[[str, Mapping[str, Any]], Awaitable[CommandOutcome]]
Wait = Callable[[str | None, float], Awaitable[None]]


class Door:
    """Lives on the engine's loop."""

    def __init__(
        self,
        path: Path,
        *,
        epoch: int,
        command: Command,
        wait: Wait,
        problem: Callable[[], str | None],
        uid: Callable[[Any], int | None] = peer_uid,
    ) -> None:
        """`wait(job, wait_s)` returns when a job (None: all) has nothing left to run; `problem` is told with wakes."""
        self._path = path
        self._greeting = {"rivus": PROTOCOL, "epoch": epoch, "pid": os.getpid()}
        self._command = command
        self._wait = wait
        self._problem = problem
        self._uid = uid
        self._guests: dict[_Guest, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()
        self._waking: asyncio.Task[None] | None = None
        self._inode = 0

    async def open(self) -> None:
        """Listen. Without a socket the engine works all the same, and nobody can attach: the log says why."""
        try:
            server = listen(self._path, backlog=GUESTS_MAX)
        except OSError as error:
            log.error("nobody can attach to this engine: %s: %s", self._path, error)
            return
        self._inode = self._path.stat().st_ino
        self._server = await asyncio.start_unix_server(self._enter, sock=server)
        self._waking = asyncio.get_running_loop().create_task(self._wake_guests(), name="door")

    def wake(self) -> None:
        """The state has changed: tell the guests soon."""
        self._changed.set()

    async def close(self) -> None:
        """Show everybody out and take the socket away."""
        if self._server is None:
            return
        self._server.close()
        await end_task(self._waking)
        for guest, task in tuple(self._guests.items()):
            guest.leave()
            await end_task(task)
        with contextlib.suppress(OSError):
            # Where the state was moved away meanwhile, it may be the socket of the next engine.
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = self._uid(writer.get_extra_info("socket"))
        if uid not in (None, os.getuid()) or len(self._guests) >= GUESTS_MAX:
            log.warning("refused a guest of user %s (%d are here)", uid, len(self._guests))
            writer.close()
            return
        guest = _Guest(reader, writer, self._answer)
        task = asyncio.current_task()
        assert task is not None
        self._guests[guest] = task
        try:
            guest.tell(self._greeting)
            await guest.listen()
        except asyncio.CancelledError:
            # Ending this task is how `close` shows a guest out; a cancelled server task is only noise in the log.
            pass
        except ConnectionError:
            pass  # it left without a word
        except (FrameError, OSError) as error:
            log.warning("a guest was shown out: %s", error)
        finally:
            self._guests.pop(guest, None)
            guest.leave()

    async def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            if "wait" in request:
                job, wait_s = _wait_of(request["wait"])
                await self._wait(job, wait_s)
                return {"outcome": outcome_to_wire(CommandOutcome(ok=True, message="nothing is left to run"))}
            name, args = request.get("command"), request.get("args")
            if not isinstance(name, str) or not isinstance(args, dict):
                raise UseError("a request has a command and its args")
            return {"outcome": outcome_to_wire(await self._command(name, args))}
        except RivusError as error:
            return {"error": error_to_wire(error)}
        except Exception as error:
            log.exception("a guest's command failed")
            return {"error": error_to_wire(error)}

    async def _wake_guests(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            for guest in tuple(self._guests):
                guest.wake(self._problem())
            # What changes meanwhile is one more wake: guests read at their own pace anyway.
            await asyncio.sleep(_REST_S)


def _wait_of(told: object) -> tuple[str | None, float]:
    """What a request to wait says; UseError for what is none."""
    if isinstance(told, dict):
        job, wait_s = told.get("job"), told.get("wait_s", 0)
        if (job is None or isinstance(job, str)) and isinstance(wait_s, (int, float)) and 0 <= wait_s <= 1e7:
            return job, float(wait_s)
    raise UseError("`wait` has a job (or null) and wait_s")


class _Guest:
    """One connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._under_way: set[asyncio.Task[None]] = set()
        self._waits: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Take requests until the guest leaves; FrameError for what is none, or stalls."""
        frames = Frames(REQUEST_MAX)
        while True:
            data = await self._read(STALL_S if frames.begun else None)
            if not data:
                return
            for request in frames.feed(data):
                number = request.get("id")
                if not isinstance(number, int):
                    raise FrameError("a request without a number")
                while len(self._under_way) >= REQUESTS_MAX:
                    await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
                task = asyncio.get_running_loop().create_task(self._serve(number, request), name="guest")
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
                if "wait" in request:
                    self._waits.add(task)
                    task.add_done_callback(self._waits.discard)

    async def _read(self, timeout_s: float | None) -> bytes:
        reading = asyncio.ensure_future(self._reader.read(_READ))
        try:
            done, _ = await asyncio.wait({reading}, timeout=timeout_s)
        finally:
            if not reading.done():
                reading.cancel()
        if not done:
            raise FrameError(f"a message did not end within {STALL_S:g} s")
        return reading.result()

    async def _serve(self, number: int, request: Mapping[str, Any]) -> None:
        self.tell({"id": number, **await self._answer(request)})

    def wake(self, problem: str | None) -> None:
        """Say that something has changed, unless the guest has not read the last words yet."""
        if self._writer.transport.get_write_buffer_size() == 0:
            self.tell({"wake": True, "problem": problem})

    def tell(self, value: Mapping[str, Any]) -> None:
        """Send without waiting; whoever does not read is shown out."""
        if self._writer.is_closing():
            return
        self._writer.write(encode(value))
        if self._writer.transport.get_write_buffer_size() > UNREAD_MAX:
            self._writer.transport.abort()

    def leave(self) -> None:
        """Close; commands that were given go on, their answer reaches nobody. Nobody waits any more."""
        for task in tuple(self._waits):
            task.cancel()
        self._writer.close()
