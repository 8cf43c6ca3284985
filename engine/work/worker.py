"""A worker process: runs plain functions, one at a time, and dies with the engine.

Started by `engine.work.processes` as `python -m engine.work.worker FD`, with a socket to the engine as its only link.
What a handler does to its process (working directory, signals, memory, exit) stays in it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.config.resolve import Resolver
from engine.kit.exceptions import describe
from engine.work.context import AttemptContext, ContextItem
from engine.work.wire import HEADER, encode_emitted, encode_outcome, pack

_NICE: Final = 5
"""Handlers yield to the screen and the engine's loop."""
_PR_SET_PDEATHSIG: Final = 1


class _Link:
    """The socket to the engine; a thread reads, anyone writes."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._lock = threading.Lock()
        self.calls: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.context: AttemptContext | None = None
        threading.Thread(target=self._read, daemon=True, name="link").start()

    def send(self, message: Mapping[str, Any]) -> None:
        raw = pack(message)
        with self._lock:
            self._socket.sendall(raw)

    def _read(self) -> None:
        stream = self._socket.makefile("rb")
        try:
            while header := stream.read(HEADER.size):
                message = json.loads(stream.read(HEADER.unpack(header)[0]))
                if message["kind"] == "cancel":
                    if self.context is not None:
                        self.context.cancelled = True
                else:
                    self.calls.put(message)
        except (OSError, ValueError):
            pass
        # The engine is gone: so is the reason to live, whatever the handler is at.
        os._exit(0)


class _LogToEngine(logging.Handler):
    def __init__(self, link: _Link) -> None:
        super().__init__()
        self._link = link

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            self._link.send({"kind": "log", "level": record.levelno, "text": record.getMessage()[:4_000]})


def main(fd: int) -> None:
    """Serve calls until the engine goes away."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    link = _Link(fd)
    start = link.calls.get()
    assert start is not None
    resolver = Resolver(Path(start["folder"]) if start["folder"] else None)
    logger = logging.getLogger("rivus.handler")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(_LogToEngine(link))
    while True:
        call = link.calls.get()
        if call is not None:
            link.send(_serve(call, link, resolver, logger))


def _serve(call: dict[str, Any], link: _Link, resolver: Resolver, logger: logging.Logger) -> dict[str, Any]:
    item = call["item"]
    context = AttemptContext(
        job=call["job"],
        stage=call["stage"],
        item=ContextItem(**{**item, "headings": tuple(item["headings"])}),
        upstream=call["upstream"],
        attempt=call["attempt"],
        params=call["params"],
        root=Path(call["root"]),
        artifacts=Path(call["artifacts"]),
        log=lambda: logger,
        progress=lambda done, total, text: link.send({"kind": "progress", "done": done, "total": total, "text": text}),
        answer=call["answer"],
    )
    link.context = context
    try:
        outcome = resolver.handler(call["handler"])(context)
        answer = {"kind": "ended", "outcome": encode_outcome(outcome), "emit": encode_emitted(context.emitted)}
        pack(answer)  # what is not JSON is this attempt's problem, with this traceback
        return answer
    except BaseException as error:
        problem = describe(error)
        return {"kind": "raised", "type": problem.error_type, "message": problem.message, "trace": problem.traceback}
    finally:
        link.context = None


if __name__ == "__main__":
    main(int(sys.argv[1]))
