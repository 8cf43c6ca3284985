"""The worker's end of the socket to its engine: frames out from any thread, one thread that reads."""

from __future__ import annotations

import itertools
import json
import os
import queue
import socket
import threading
from collections.abc import Mapping
from typing import Any, Final

from engine.kit.frames import LENGTH
from engine.work.context import AttemptContext
from engine.work.wire import pack

LINK_BROKEN: Final = 122
"""Exit code of a worker whose socket was closed under it: the handler closed files that are not its own."""


class AskedInVain(Exception):
    """The engine could not do what the handler asked for."""


class Link:
    """The socket to the engine."""

    def __init__(self, fd: int) -> None:
        os.set_inheritable(fd, False)
        self._socket = socket.socket(fileno=fd)
        self._file = _identity(fd)
        self._pid = os.getpid()
        self._lock = threading.RLock()  # a search for garbage while it is held may end an object that logs
        self._numbers = itertools.count(1)
        self._asked: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self.calls: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.call = 0
        """Number of the call that runs; 0 between calls."""
        self.context: AttemptContext | None = None
        """That of the call that runs."""
        threading.Thread(target=self._read, daemon=True, name="link").start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one frame of the call that runs. In a process that a handler has forked it does nothing."""
        raw = pack({**message, "call": self.call})
        if os.getpid() != self._pid:
            return
        with self._lock:
            if _identity(self._socket.fileno()) != self._file:
                os._exit(LINK_BROKEN)
            self._socket.sendall(raw)

    def ask(self, what: str, value: Any) -> Any:
        """Ask the engine for something and wait for its answer; AskedInVain says why there is none."""
        number = next(self._numbers)
        answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._asked[number] = answers
        try:
            self.send({"kind": "ask", "n": number, "what": what, "value": value})
            answer = answers.get()
        finally:
            del self._asked[number]
        if answer.get("error") is not None:
            raise AskedInVain(answer["error"])
        return answer.get("value")

    def _read(self) -> None:
        stream = self._socket.makefile("rb")
        try:
            while header := stream.read(LENGTH.size):
                message = json.loads(stream.read(LENGTH.unpack(header)[0]))
                if message["kind"] == "cancel":
                    if message["call"] == self.call and (context := self.context) is not None:
                        context.cancelled = True
                elif message["kind"] == "answer":
                    if (answers := self._asked.get(message["n"])) is not None:
                        answers.put(message)
                else:
                    self.calls.put(message)
        except (OSError, ValueError):
            pass
        # The engine is gone: so is the reason to live, whatever the handler is at.
        os._exit(0)


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        info = os.fstat(fd)
    except (OSError, ValueError):
        return None
    return info.st_dev, info.st_ino
