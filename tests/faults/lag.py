"""How long an engine's loop lets others wait: a request over its socket that is answered at once, again and again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.kit.frames import ANSWER_MAX, Frames, encode

_EVERY_S = 0.02
_PATIENCE_S = 60.0


class Lag:
    """Times of the answers so far, seconds."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def at(self, share: float) -> float:
        """The time that this share of the answers kept, ms."""
        times = sorted(self.times)
        return times[min(len(times) - 1, int(len(times) * share))] * 1000 if times else 0.0

    def ask(self, path: Path, ended: threading.Event) -> None:
        """Ask until told to end, or the engine hangs up."""
        frames = Frames(ANSWER_MAX)
        number = 0
        with socket.socket(socket.AF_UNIX) as door, suppress(OSError):
            door.settimeout(_PATIENCE_S)
            door.connect(str(path))
            while not ended.wait(_EVERY_S):
                number += 1
                began = time.perf_counter()
                door.sendall(encode({"id": number, "command": None}))  # refused at once, by the loop itself
                while not any(answer.get("id") == number for answer in frames.feed(door.recv(65_536))):
                    pass
                self.times.append(time.perf_counter() - began)


@contextmanager
def lag_of(path: Path) -> Iterator[Lag]:
    """Measure the loop behind this socket while the block lasts."""
    lag, ended = Lag(), threading.Event()
    asker = threading.Thread(target=lag.ask, args=(path, ended))
    asker.start()
    try:
        yield lag
    finally:
        ended.set()
        asker.join()
