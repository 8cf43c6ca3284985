"""R16, S1: terminals that go away, and hostile text that a terminal must never take for orders; in a real pty."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import sqlite3
import struct
import subprocess
import tempfile
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.acceptance.command_line import RIVUS
from tests.faults.goal import Goal, Lane, Reading, readings

_ENDS_S = 45.0


def _like_a_shell() -> None:
    """In a new process: take the terminal, and die of SIGHUP, which whoever started this may ignore (`nohup`)."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Pty:
    """`rivus` in a pseudo terminal of its own; everything that it writes is kept."""

    def __init__(self, root: Path, state: Path, *args: str) -> None:
        self.master, slave = pty.openpty()
        self.resize(24, 80)
        self.written = bytearray()
        self.process = subprocess.Popen(
            [str(RIVUS), "--state", str(state), *args],
            cwd=root,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_like_a_shell,
            env={**os.environ, "TERM": "xterm-256color", "TMPDIR": str(root)},
        )
        os.close(slave)
        self._is_gone = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # A read that waits would keep the terminal open after it was closed.
        with suppress(OSError):
            while not self._is_gone:
                if select.select([self.master], [], [], 0.02)[0]:
                    self.written += os.read(self.master, 65_536)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def sees(self, what: bytes, seconds: float = 20.0) -> bool:
        until = time.monotonic() + seconds
        while what not in self.written and time.monotonic() < until:
            time.sleep(0.05)
        return what in self.written

    def is_quiet(self, seconds: float = 0.4) -> None:
        """Wait until nothing is written for so long."""
        before = -1
        while before != len(self.written):
            before = len(self.written)
            time.sleep(seconds)

    def hang_up(self) -> None:
        """The terminal is gone."""
        if not self._is_gone:
            self._is_gone = True
            self._reader.join()
            os.close(self.master)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()


def death(lane: Lane) -> Reading:
    """Take the terminal away at any moment, in the middle of the start too."""
    rounds = lane.n(fast=2, deep=100)
    chance = random.Random(16)
    found: list[str] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="rivus-terminal-") as folder:
        root = Path(folder) / "project"
        root.mkdir()
        (root / "TODO.md").write_text("# To do\n\n" + "".join(f"- [ ] Task {n}\n" for n in range(200)))
        for n in range(rounds):
            state = Path(folder) / f"state{n % 4}"
            room = Pty(root, state)
            how = ("close", "SIGHUP", "SIGTERM", "resize and close")[n % 4]
            time.sleep(chance.uniform(0.05, 2.5))
            if how.startswith("resize"):
                for _ in range(100):
                    room.resize(chance.randrange(1, 60), chance.randrange(1, 200))
            began = time.monotonic()
            if how.startswith("SIG"):
                room.process.send_signal(getattr(signal, how))
            else:
                room.hang_up()
            try:
                code = room.process.wait(timeout=_ENDS_S)
            except subprocess.TimeoutExpired:
                found.append(f"{n}, {how}: it did not end in {_ENDS_S:g} s")
                room.end()
                continue
            slowest = max(slowest, time.monotonic() - began)
            if code not in (-1, -15, 129, 143):
                found.append(f"{n}, {how}: it ended with {code}")
            # Where there is a terminal left, it is left as it was found.
            if how.startswith("SIG") and room.written.rfind(b"\x1b[?1049h") > room.written.rfind(b"\x1b[?1049l"):
                found.append(f"{n}, {how}: the alternate screen was not left")
            if b"locals" in room.written or b"Traceback" in room.written:
                found.append(f"{n}, {how}: a traceback on the screen")
            room.end()
            found += [f"{n}, {how}: {one}" for one in _unsound(state / "rivus.db")]
    return readings(found, f"{rounds} terminals taken away, {len(found)} wrong, slowest end {slowest:.1f} s")


def _unsound(database: Path) -> list[str]:
    if not database.exists():
        return []
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        found = [row[0] for row in connection.execute("PRAGMA quick_check") if row[0] != "ok"]
        return found + [str(row) for row in connection.execute("PRAGMA foreign_key_check")]
    finally:
        connection.close()


_ORDERS = (
    b"\x1b]52;",
    b"\x1b]0;PWNED",
    b"\xc2\x9b",
    b"\xc2\x9d",
    b"\xe2\x80\xae",
    b"\x1b[31mred",
    b"\x1bP1;2",
    b"\xf3\xa0\x81\x81",
)
"""What a terminal would obey, or what would reorder what is read; none of it is ever written by the app itself."""
_HOSTILE = (
    "\x1b]0;PWNED\x07 \x1b]52;c;ZXZpbA==\x07 \x1b[2J\x1b[H\x1b[31mred \x9b31m \x9d0;x\x9c "
    "\x1bP1;2|x\x1b\\ \u202egnp.exe \U000e0041 [/] [/foo] [@click=app.quit]x[/] [red]PWNED"
)
_CODE = """\
from engine.contracts.item import Candidate
from engine.contracts.outcome import Ask, Fail

HOSTILE = %r


async def find(ctx):
    for n in range(6):
        yield Candidate(key=f"{HOSTILE} {n}", title=HOSTILE, path=HOSTILE, data={HOSTILE: HOSTILE}, headings=(HOSTILE,))
    ctx.problem(HOSTILE, path=HOSTILE)


async def work(ctx):
    ctx.log.warning("%%s", HOSTILE)
    n = ctx.item.key[-1]
    if n == "0":
        raise ValueError(HOSTILE)
    if n == "1":
        return Fail(why=HOSTILE)
    if n == "2":
        return Ask(question=HOSTILE, choices=(HOSTILE, HOSTILE))
    return {"text": HOSTILE, HOSTILE: [HOSTILE, {HOSTILE: HOSTILE}]}


def plain(ctx):
    print(HOSTILE)
    raise ValueError(HOSTILE)
"""
_KEYS = (
    "1",
    "w",
    "\x1b",
    "2",
    "w",
    "\x1b",
    "\r",
    "]",
    "]",
    "]",
    "\x1b",
    "3",
    "\r",
    "\x1b",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "?",
    "\x1b",
)


def hostile(lane: Lane) -> Reading:
    """Text from items, errors, questions, outputs, file names and TODO lines, on every screen."""
    found: list[str] = []
    screens = written = 0
    for size in ((24, 80), (48, 160), (12, 40))[: 3 if lane.deep else 1]:
        with tempfile.TemporaryDirectory(prefix="rivus-hostile-") as folder:
            root = Path(folder) / "project"
            root.mkdir()
            (root / "hostile_code.py").write_text(_CODE % _HOSTILE)
            with suppress(OSError):
                (root / "\x1b]0;PWNED\x07 \u202e.md").write_text(f"# {_HOSTILE}\n")
            (root / "TODO.md").write_text(f"# {_HOSTILE}\n\n- [ ] {_HOSTILE}\n")
            (root / "jobs.yaml").write_text(
                "jobs:\n"
                "  hostile:\n"
                "    discovery: {use: hostile_code.find, every: 1h}\n"
                "    stages:\n"
                "      - a: {handler: hostile_code.work, attempts: 1}\n"
                "      - b: {handler: hostile_code.plain, attempts: 1}\n"
                "  todos:\n"
                "    internal: true\n"
                "    discovery: {use: plugins.todos.scan, every: 1h}\n"
                "    stages: [{context: {handler: plugins.todos.context, gate: accept}}]\n"
            )
            room = Pty(root, Path(folder) / "state", "--trust")
            room.resize(*size)
            try:
                if not room.sees(b"hostile"):
                    found.append("the first screen did not come")
                for key in _KEYS:
                    room.is_quiet(0.25)
                    room.press(key)
                    screens += 1
                room.is_quiet()
                if b"PWNED" not in room.written:
                    found.append("the text was on no screen")
            finally:
                room.end()
            written += len(room.written)
            found += [f"{order!r} was written, size {size}" for order in _ORDERS if order in room.written]
            log = Path(folder) / "state" / "rivus.log"
            if log.exists() and any(order in log.read_bytes() for order in (b"\x1b", b"\xc2\x9b", b"\xe2\x80\xae")):
                found.append("control characters in the log")
    return readings(found, f"{screens} steps over all screens, {written:,} bytes written, {len(found)} orders in them")


GOALS = [
    Goal("R16", "terminals that go away", "it ends by itself, with its code, state sound", death, minutes=9),
    Goal("S1", "hostile text on screens", "0 orders to the terminal", hostile),
]
