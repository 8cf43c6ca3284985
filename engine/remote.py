"""The door to an engine in another process: commands go through its socket, and its wake-ups come back.

`RemoteEngine` has one thread that reads from the socket. When the engine ends, what was asked is answered with
`EngineStopped`; the thread then waits for the next engine on this state directory and goes on with it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from engine.contracts.commands import CommandOutcome
from engine.contracts.door import PROTOCOL, error_from_wire, outcome_from_wire
from engine.contracts.errors import EngineStopped, RivusError, UseError
from engine.kit.frames import ANSWER_MAX, REQUEST_MAX, FrameError, Frames, encode
from engine.kit.unix_socket import connect, peer_uid
from engine.store.state_dir import StateDir

log = logging.getLogger(__name__)

CONNECT_S: Final = 2.0
LOOK_S: Final = 0.5
"""How often a lost engine is looked for."""
FIND_S: Final = 5.0
"""How long a command waits to be sent while a lost engine is looked for: the state file may show the next one before
it was found."""
SEND_S: Final = 5
"""How long an engine that does not read (a stopped process) may hold up whoever sends."""
_READ: Final = 1 << 16


class RemoteEngine:
    """Implements `engine.contracts.api.EngineApi` over a socket."""

    def __init__(self, state: StateDir) -> None:
        """Attach to the engine that runs on `state`; EngineStopped when none answers, RivusError when one of another
        version does."""
        self._state = state
        self._numbers = itertools.count(1)
        self._asked: dict[int, concurrent.futures.Future[CommandOutcome]] = {}
        self._lock = threading.Lock()
        self._wakes: list[Callable[[], None]] = []
        self._problem: str | None = None
        self._closed = threading.Event()
        self._line: _Line | None = _Line(state)
        self._found: concurrent.futures.Future[None] = concurrent.futures.Future()
        """Done while there is a line, and once nobody looks for one any more."""
        self._found.set_result(None)
        self._thread = threading.Thread(target=self._listen, name="attached", daemon=True)
        self._thread.start()

    async def command(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Run one command; UseError for wrong ones, EngineStopped when the engine has ended and no other one came."""
        await asyncio.wait({asyncio.wrap_future(self._found)}, timeout=FIND_S)
        return await asyncio.wrap_future(self._ask({"command": name, "args": dict(args)}))

    def command_and_wait(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """The same for a thread without a loop."""
        return self._ask({"command": name, "args": dict(args)}).result()

    def ask_drained(self, job: str | None, *, wait_s: float = 0.0) -> concurrent.futures.Future[CommandOutcome]:
        """Ask to be told when a job (None: all) has nothing left to run, nor due within `wait_s`."""
        return self._ask({"wait": {"job": job, "wait_s": wait_s}})

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake`, from a thread of its own, after each change of state."""
        self._wakes.append(wake)
        return lambda: self._wakes.remove(wake) if wake in self._wakes else None

    def attached(self) -> bool:
        """It lives in another process."""
        return True

    def running(self) -> int:
        """Attempts that leaving would touch: none, the engine goes on without those attached to it."""
        return 0

    def problem(self) -> str | None:
        """What keeps the engine from working, as it told last."""
        return self._problem

    async def stop(self, *, drain: bool) -> None:
        """Leave; the engine goes on."""
        self.close()

    def ask_stop(self, *, drain: bool) -> None:
        """Leave."""
        self._closed.set()

    def stop_and_wait(self, *, drain: bool) -> None:
        """Leave."""
        self.close()

    def close(self) -> None:
        """Leave; the engine goes on."""
        self._closed.set()
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.close()

    def _ask(self, request: Mapping[str, Any]) -> concurrent.futures.Future[CommandOutcome]:
        future: concurrent.futures.Future[CommandOutcome] = concurrent.futures.Future()
        number = next(self._numbers)
        try:
            frame = encode({"id": number, **request}, REQUEST_MAX)
        except FrameError as error:
            raise UseError(f"the command is too long: {error}; give fewer keys at a time") from error
        with self._lock:
            line = self._line
            if line is None:
                raise EngineStopped("the engine has ended; start `rivus` or `rivus --serve`")
            self._asked[number] = future
        try:
            line.send(frame)
        except OSError as error:
            with self._lock:
                self._asked.pop(number, None)
            raise EngineStopped(f"the engine has ended ({error})") from error
        return future

    def _listen(self) -> None:
        while not self._closed.is_set():
            line = self._line
            try:
                if line is not None:
                    for told in line.read():
                        self._hear(told)
            except (OSError, FrameError, KeyError, TypeError, ValueError) as error:
                if not self._closed.is_set():
                    log.warning("the line to the engine broke: %s", error)
            self._lost(line)
            self._find_again()
            self._found.set_result(None)

    def _hear(self, told: Mapping[str, Any]) -> None:
        if "wake" in told:
            problem = told.get("problem")
            self._problem = None if problem is None else str(problem)
            self._wake_all()
            return
        with self._lock:
            future = self._asked.pop(int(told["id"]), None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        if "error" in told:
            future.set_exception(error_from_wire(told["error"]))
        else:
            future.set_result(outcome_from_wire(told["outcome"]))

    def _lost(self, line: _Line | None) -> None:
        """The engine is gone, or we are: answer what was asked."""
        with self._lock:
            self._line = None
            self._found = concurrent.futures.Future()
            self._found.set_running_or_notify_cancel()  # whoever waits for it cannot cancel it
            asked, self._asked = self._asked, {}
        if line is not None:
            line.close()
        for future in asked.values():
            if future.set_running_or_notify_cancel():
                future.set_exception(
                    EngineStopped("the engine ended before it answered; look whether the command was carried out")
                )
        self._problem = None
        self._wake_all()

    def _find_again(self) -> None:
        while not self._closed.wait(LOOK_S):
            try:
                line = _Line(self._state)
            except RivusError:
                continue
            with self._lock:
                if self._closed.is_set():
                    line.close()
                    return
                self._line = line
            self._wake_all()
            return

    def _wake_all(self) -> None:
        for wake in tuple(self._wakes):
            try:
                wake()
            except Exception:
                log.exception("a screen could not be woken")


class _Line:
    """One connection, greeted."""

    def __init__(self, state: StateDir) -> None:
        try:
            self._socket = connect(state.socket, timeout_s=CONNECT_S)
        except OSError as error:
            raise EngineStopped(f"no engine answers on {state.path} ({error})") from error
        try:
            uid = peer_uid(self._socket)
            if uid not in (None, os.getuid()):
                raise EngineStopped(f"{state.socket}: somebody else (user {uid}) listens there")
            self._frames = Frames(ANSWER_MAX)
            self._more: list[dict[str, Any]] = []
            self._sending = threading.Lock()
            self._greet()
            self._socket.settimeout(None)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_S, 0))
        except BaseException:
            self._socket.close()
            raise

    def _greet(self) -> None:
        try:
            greeting = next(self.read(), {})
        except (OSError, FrameError) as error:
            raise EngineStopped(f"the engine does not answer ({error})") from error
        if not greeting:
            raise EngineStopped("the engine has ended")
        if greeting.get("rivus") != PROTOCOL:
            raise RivusError(
                f"the running engine speaks another version ({greeting.get('rivus')}, this is {PROTOCOL}); "
                "stop it and start it again with this one"
            )

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield what comes until the engine leaves."""
        while True:
            while self._more:
                yield self._more.pop(0)
            data = self._socket.recv(_READ)
            if not data:
                return
            self._more += self._frames.feed(data)

    def send(self, frame: bytes) -> None:
        """Send one frame, whole; OSError when the engine is gone or does not read."""
        with self._sending:
            self._socket.sendall(frame)

    def close(self) -> None:
        """Close; a read that waits ends."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
