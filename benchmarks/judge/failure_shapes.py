"""Failures made by chance from a fixed number of shapes: what groups them must find the shapes again.

A shape is a place in the code, a type and a message with holes; each failure fills the holes anew (ids, numbers, paths,
hosts, times, hex, quoted values) and stands in another line of the same function, as after an edit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from benchmarks.judge.judgement import Judgement
from engine.contracts.verdict import Failure
from engine.rules.verdicts.signature import signature_of

SHAPES: Final = 137
FAILURES: Final = 830
TOLERANCE: Final = 5
_WORDS: Final = ("report", "summary", "listing", "archive", "profile", "price", "notes", "draft")
_PLACES: Final = (
    ("plugins/sources/feeds.py", "fetch"),
    ("plugins/sources/video.py", "download"),
    ("plugins/sources/calendar.py", "rows"),
    ("plugins/pipelines/articles.py", "extract"),
    ("plugins/pipelines/articles.py", "summarise"),
    ("plugins/pipelines/prices.py", "store"),
    ("plugins/research/explore.py", "ask"),
)
_MESSAGES: Final = (
    ("httpx.HTTPStatusError", "Client error '404 Not Found' for url '{url}'"),
    ("httpx.HTTPStatusError", "Client error '403 Forbidden' for url '{url}'"),
    ("httpx.HTTPStatusError", "Server error '502 Bad Gateway' for url '{url}'"),
    ("httpx.ReadTimeout", "timed out after {n} s"),
    (
        "aiohttp.ClientConnectorError",
        "Cannot connect to host {host}:443 ssl:default [Connect call failed ('{ip}', 443)]",
    ),
    ("OSError", "[Errno 28] No space left on device: '{path}'"),
    ("FileNotFoundError", "[Errno 2] No such file or directory: '{path}'"),
    ("sqlite3.OperationalError", "database is locked"),
    ("sqlite3.IntegrityError", "UNIQUE constraint failed: articles.url"),
    ("KeyError", "'{word}'"),
    ("ValueError", "time data '{time}' does not match format '%Y-%m-%d'"),
    ("ValueError", "could not convert string to float: '{word} {n}'"),
    ("UnicodeDecodeError", "'utf-8' codec can't decode byte {hex} in position {n}: invalid start byte"),
    ("yt_dlp.utils.DownloadError", "ERROR: [youtube] {id}: Video unavailable"),
    ("yt_dlp.utils.DownloadError", "ERROR: [youtube] {id}: Private video. Sign in if you've been granted access"),
    ("subprocess.CalledProcessError", "Command '['ffmpeg', '-i', '{path}']' returned non-zero exit status 1."),
    ("litellm.RateLimitError", "Rate limit reached: limit {n}, used {n}, try again in {n}s. Request id {uuid}"),
    (
        "pydantic.ValidationError",
        "1 validation error for Article\ntitle\n  Field required [type=missing, "
        "input_value={{'a': '{word}'}}, input_type=dict]",
    ),
    ("RuntimeError", "worker {n} at {ip} lost item {id} at {time}"),
    ("RuntimeError", "object at {hex} was closed"),
)


def judgements() -> Iterator[Judgement]:
    """Yield whether the number of groups is that of the shapes, and how many failures stand with their own kind."""
    made = list(failures(random.Random(830)))
    groups: dict[str, list[int]] = {}
    for shape, failure in made:
        groups.setdefault(signature_of(failure).key, []).append(shape)
    pure = sum(max(shapes.count(shape) for shape in set(shapes)) for shapes in groups.values())
    missed = min(SHAPES, abs(len(groups) - SHAPES))
    yield Judgement(name="doctor-groups", n=SHAPES, right=SHAPES - missed)
    yield Judgement(name="doctor-groups-pure", n=FAILURES, right=pure)


def failures(chance: random.Random) -> Iterator[tuple[int, Failure]]:
    """Yield (shape, failure); every shape comes up at least once."""
    shapes = chance.sample([(place, message) for place in _PLACES for message in _MESSAGES], SHAPES)
    order = [*range(SHAPES), *(chance.randrange(SHAPES) for _ in range(FAILURES - SHAPES))]
    chance.shuffle(order)
    for number in order:
        (path, function), (kind, message) = shapes[number]
        text = message.format_map(_Holes(chance))
        line = chance.randrange(10, 400)
        tail = (
            "Traceback (most recent call last):\n"
            f'  File "/srv/app{chance.randrange(9)}/{path}", line {line}, in {function}\n    return await step(item)\n'
            f'  File "/usr/lib/python3.11/site-packages/client/_core.py", line {chance.randrange(900)}, in send\n'
            "    raise problem\n"
            f"{kind}: {text}\n"
        )
        yield number, Failure(job="made", stage=function, exc_type=kind, message=text, traceback_tail=tail)


class _Holes(dict[str, str]):
    """Fills each hole of a message anew."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def __missing__(self, name: str) -> str:
        return _FILL[name](self.chance)


def _letters(chance: random.Random, alphabet: str, length: int) -> str:
    return "".join(chance.choice(alphabet) for _ in range(length))


def _host(chance: random.Random) -> str:
    return f"{chance.choice(_WORDS)}{chance.randrange(99)}.example.{chance.choice(('com', 'org', 'net'))}"


_HEX: Final = "0123456789abcdef"
_FILL: Final[dict[str, Callable[[random.Random], str]]] = {
    "n": lambda chance: str(chance.randrange(1, 100_000)),
    "hex": lambda chance: "0x" + _letters(chance, _HEX, 12),
    "id": lambda chance: (
        _letters(chance, "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ", 8) + _letters(chance, "23456789", 3)
    ),
    "uuid": lambda chance: "-".join(_letters(chance, _HEX, length) for length in (8, 4, 4, 4, 12)),
    "ip": lambda chance: ".".join(str(chance.randrange(1, 255)) for _ in range(4)),
    "host": _host,
    "url": lambda chance: (
        f"https://{_host(chance)}/{chance.choice(_WORDS)}/{chance.randrange(99_999)}?page={chance.randrange(9)}"
    ),
    "path": lambda chance: (
        f"/data/{chance.choice(_WORDS)}/{chance.randrange(99_999)}.{chance.choice(('pdf', 'json', 'wav'))}"
    ),
    "word": lambda chance: chance.choice(_WORDS),
    "time": lambda chance: (
        f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        f"T{chance.randrange(24):02}:{chance.randrange(60):02}:00Z"
    ),
}


def kinds(made: Sequence[tuple[int, Failure]]) -> int:
    """How many different signatures there are."""
    return len({signature_of(failure).key for _, failure in made})
