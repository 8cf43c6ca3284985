"""S2, S3: the sanitiser with any text, and the parsers with damaged input."""

from __future__ import annotations

import json
import random
import re
import resource
import time
import unicodedata
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from engine.config.document import Unreadable
from engine.config.units import parse_duration, parse_money, parse_rate, parse_size
from engine.config.yaml_reader import parse_yaml
from engine.contracts.errors import RivusError
from engine.kit.frames import REQUEST_MAX, FrameError, Frames, encode
from engine.kit.safe_text import safe_block, safe_line
from engine.kit.shapes import Misfit, read
from engine.rules.filters import parse as parse_filter
from engine.work.wire import decode_outcome
from plugins.checks.document import parse as parse_document
from plugins.pipelines.outline import outline_of
from plugins.todos.context import read_blame
from plugins.todos.history import read_objects, read_revisions
from plugins.todos.lines import scan_text
from rivus_tui.format import _JOINS, Cell, cell, fit, fit_line, hang, literal, width_of, wrap
from tests.faults.goal import Goal, Lane, Reading, readings

ROOT = Path(__file__).parents[3]
_SLOW_S = 0.25
_HOSTILE = (
    "\x1b]52;c;aGk=\x07", "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x9d0;x\x9c", "\x1bP1;2|x\x1b\\", "\x00", "\x7f",
    "\u202e", "\u2066", "\u200b", "\u2028", "\ud800", "\U000e0041", "\r", "\x08", "\x1b[?1049l", "[/foo]",
    "[@click=app.quit]x[/]", "\n", "\t", " ", "é", "漢", "👩\u200d💻", "a", "Z", "\ufeff", "\xad",
)  # fmt: skip


def _text(chance: random.Random) -> str:
    drawn = [chance.random() * 2 for _ in range(chance.randrange(24))]
    return "".join([_HOSTILE[int(one * len(_HOSTILE))] if one < 1 else chr(int((one - 1) * 0x110000)) for one in drawn])


def _forbidden(allowed: str) -> re.Pattern[str]:
    """Whatever may not be left, by what Unicode says of each character, not by the patterns of the product."""
    named = "\u200b\u200c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    forbidden = [
        code
        for code in range(0x110000)
        if (unicodedata.category(chr(code)) in ("Cc", "Cs", "Zl", "Zp") and chr(code) not in allowed)
        or chr(code) in named
        or 0xE0000 <= code <= 0xE0FFF
    ]
    ranges = "".join(rf"\U{codes[0]:08x}-\U{codes[-1]:08x}" for codes in _runs(forbidden))
    return re.compile(f"[{ranges}]")


def _runs(codes: list[int]) -> Iterator[list[int]]:
    """Numbers that follow each other without a gap."""
    for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0]):
        yield [code for _, code in run]


def texts(lane: Lane) -> Reading:
    cleaned, drawn = sanitiser(lane), renderers(lane)
    return Reading(f"{cleaned.figure}; {drawn.figure}", cleaned.ok and drawn.ok, (*cleaned.notes, *drawn.notes))


def sanitiser(lane: Lane) -> Reading:
    wanted = lane.n(fast=20_000, deep=10_000_000)
    chance = random.Random(2)
    in_line, in_block = _forbidden(""), _forbidden("\n\t")
    found: list[str] = []
    spent = 0.0
    for _ in range(wanted):
        text = _text(chance)
        at = time.thread_time()
        line, block = safe_line(text), safe_block(text)
        spent += time.thread_time() - at
        if in_line.search(line) or in_block.search(block):
            found.append(f"{text!r} became {line!r}, {block!r}")
        if safe_line(line) != line or safe_block(block) != block:
            found.append(f"{text!r} is changed again")
        if text.isascii() and text.isprintable() and " ".join(text.split()) != line:
            found.append(f"{text!r} is printable and became {line!r}")
    each = spent / wanted / 2 * 1e6
    return readings(found, f"{wanted:,} strings, {len(found)} forbidden or altered, {each:.1f} µs each")


def renderers(lane: Lane) -> Reading:
    """What the room draws with: cells, code, cut and padded, broken over lines, hung below a marker, and strips."""
    wanted = lane.n(fast=300, deep=100_000)
    chance = random.Random(4)
    in_line = _forbidden("")
    found: list[str] = []
    for _ in range(wanted):
        text = "".join(_text(chance) + chance.choice(("", " ", "plain words ")) for _ in range(3))
        width = chance.randrange(12, 60)
        try:
            found += [f"{problem}: {text!r} in {width}" for problem in _drawn_wrong(text, width, in_line)]
        except Exception as error:
            found.append(f"{type(error).__name__}: {error} for {text!r} in {width}")
    return readings(found, f"{wanted:,} strings through 7 renderers, {len(found)} crashes or alterations")


def _drawn_wrong(text: str, width: int, forbidden: re.Pattern[str]) -> Iterator[str]:
    shown, code = cell(text, limit=10_000), literal(text)
    if forbidden.search(shown.text + code.text):
        yield "an order to the terminal is left"
    if "".join(shown.text.split()) != "".join(_JOINS.sub("", safe_line(text, 10_000)).split()):
        yield "a cell is altered"
    for align in ("left", "right"):
        padded = fit(shown.text, width, align)
        if cell_len(padded) != width:
            yield f"a column is {cell_len(padded)} wide"
        if cell_len(shown.text) <= width and padded.strip() != shown.text.strip():
            yield "a column is altered"
    broken = wrap(shown.text, width)
    if any(cell_len(row) > width for row in broken):
        yield "a line is too long"
    if "".join("".join(broken).split()) != "".join(shown.text.split()):
        yield "breaking lines alters the text"
    hung = hang((Cell("x "), shown), width)
    if any(width_of(row) > width for row in hung):
        yield "a hanging line is too long"
    if width_of(fit_line((Cell("x "), shown, code), width)) > width:
        yield "a line of cells is too long"
    strip = Strip([Segment(shown.text), Segment(code.text)]).adjust_cell_length(width)
    if strip.cell_length != width or cell_len(strip.text) != width:
        yield f"a strip is {cell_len(strip.text)} wide"
    if Content(shown.text).plain != shown.text:
        yield "a message is altered"


def _mutated(chance: random.Random, seed: bytes) -> bytes:
    raw = bytearray(seed)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(6):
            case 0:
                del raw[at : at + chance.randrange(1, 40)]
            case 1:
                raw[at:at] = chance.randbytes(chance.randrange(1, 8))
            case 2:
                raw[at:at] = raw[chance.randrange(len(raw) + 1) :][:60]
            case 3:
                raw[at:at] = chance.choice(_HOSTILE).encode("utf-8", "surrogatepass")
            case 4:
                raw[at:at] = chance.choice((b"[", b"{", b"- ", b"`", b"* ", b"> ", b"(", b"&a ", b"*a", b"!!x ")) * 40
            case _:
                raw = raw[:at]
    return bytes(raw[:8_000])


def _frame(raw: bytes) -> None:
    for _ in Frames(REQUEST_MAX).feed(raw):
        pass


def _outcome(raw: bytes) -> None:
    told = json.loads(raw)
    if isinstance(told, dict) and "kind" in told:
        decode_outcome(told)


def _units(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace")[:60]
    for reads in (parse_duration, parse_money, parse_rate, parse_size):
        try:
            reads(text)
        except ValueError:
            continue


_SHAPE = {"type": "object", "properties": {"title": {"type": "string"}, "n": {"type": "integer"}}}
_todo = (ROOT / "TODO.md").read_bytes()
_readme = (ROOT / "README.md").read_bytes()[:2_000]
_HASH = "f0462f3c8e7072f8c70bc612ae0bacf9a3d2d015"
_GIT_LOG = (
    f"/{_HASH} 1795707826\0\n:100644 100644 {_HASH} {_HASH} M\0TODO.md\0"
    f":100644 000000 {_HASH} {'0' * 40} D\0docs/todo.md\0/{_HASH} 1795707000\0"
).encode()
_GIT_OBJECTS = f"{_HASH} blob 14\n- [ ] a thing\n\n{_HASH} missing\n".encode()
_GIT_BLAME = (
    f"{_HASH} 3 3 1\nauthor N\nauthor-time 1795707826\nsummary one\nfilename TODO.md\n\t- [ ] a thing\n".encode()
)
_PARSERS: tuple[tuple[str, bytes, Callable[[bytes], object], tuple[type[BaseException], ...]], ...] = (
    ("jobs.yaml", (ROOT / "jobs.yaml").read_bytes(), parse_yaml, (Unreadable,)),
    ("TODO.md", _todo, lambda raw: scan_text(raw.decode("utf-8", "replace")), ()),
    ("documents", _readme, lambda raw: parse_document("a.md", raw.decode("utf-8", "replace")), ()),
    ("outlines", _readme, lambda raw: outline_of(raw.decode("utf-8", "replace"), "markdown"), ()),
    ("frames", encode({"id": 1, "name": "retry", "args": {"keys": ["a", "b"]}}), _frame, (FrameError,)),
    ("model JSON", b'```json\n{"title": "x", "n": 3, "more": [1, {"a": null}]}\n```',
     lambda raw: read(raw.decode("utf-8", "replace"), _SHAPE), (Misfit,)),
    ("filters", b"state:failed,later job:docs age:>3d cost:>0.5 -stage:x \"two words\"",
     lambda raw: parse_filter(raw.decode("utf-8", "replace")), (RivusError, ValueError)),
    ("units", b"10m 60/h 5 USD 12.5 MB", _units, ()),
    ("git log", _GIT_LOG, lambda raw: list(read_revisions(raw)), (ValueError,)),
    ("git objects", _GIT_OBJECTS, read_objects, (ValueError,)),
    ("git blame", _GIT_BLAME, lambda raw: read_blame(raw.decode("utf-8", "replace")), (ValueError,)),
)  # fmt: skip

_TURNS: tuple[int, ...] = (*range(len(_PARSERS)), *(4, 5, 6, 7, 8, 9, 10) * 2)
"""Whose turn it is: the four that read whole documents take most of the time, and have a third of the others' turns."""


def parsers(lane: Lane) -> Reading:
    wanted = lane.n(fast=2_400, deep=1_000_000)
    chance = random.Random(3)
    found: list[str] = []
    slowest = 0.0
    for n in range(wanted):
        name, seed, parse, typed = _PARSERS[_TURNS[n % len(_TURNS)]]
        raw = _mutated(chance, seed)
        began = time.thread_time()
        try:
            parse(raw)
        except typed:
            pass
        except Exception as error:
            found.append(f"{name}: {type(error).__name__}: {error} for {raw[:200]!r}"[:400])
        seconds = time.thread_time() - began
        slowest = max(slowest, seconds)
        if seconds > _SLOW_S:
            found.append(f"{name}: {seconds:.2f} s for {raw[:120]!r}")
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if lane.deep and megabytes > 256:
        found.append(f"{megabytes} MB")
    return readings(found, f"{wanted:,} inputs for {len(_PARSERS)} parsers, slowest {slowest * 1000:.0f} ms")


GOALS = [
    Goal("S2", "sanitiser", "0 forbidden, nothing printable altered, ≤ 10 µs", texts, minutes=7),
    Goal("S3", "parsers", "0 untyped errors, none over 250 ms", parsers, minutes=8),
]
