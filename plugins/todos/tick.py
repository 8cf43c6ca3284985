"""The line of a TODO in its file: whether it still stands there open, and ticking its box.

A file is written only where the line is still the one that was read, and as a whole: a new file takes its place.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from engine.kit.files import FileProblem, read_text
from plugins.todos.alike import normalise
from plugins.todos.items import TodoItem
from plugins.todos.texts import items_of

_BOX: Final = re.compile(r"^(\s*(?:>\s*)*(?:[-*+]|\d+[.)])\s+|\s*#{1,6}\s+)\[[ ~/>?-]?\]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a TODO stands now."""

    state: Literal["open", "closed", "not there"]
    line: int | None
    """1-based; None when it is not there."""


def find(root: Path, path: str, text: str, line: int | None) -> Place:
    """Look for a TODO by its text, the nearest to `line` where it stands there more than once."""
    try:
        items = items_of(read_text(root, path), path)
    except FileProblem:
        return Place("not there", None)
    item = _nearest(items, text, line)
    if item is None:
        return Place("not there", None)
    return Place("open" if item.is_open else "closed", item.line)


def _nearest(items: Sequence[TodoItem], text: str, line: int | None) -> TodoItem | None:
    same = [item for item in items if normalise(item.text) == normalise(text)]
    # An open one first: a ticked line with the same words is another task that is done.
    return min(same, key=lambda item: (not item.is_open, abs(item.line - (line or 0))), default=None)


def tick(root: Path, path: str, text: str, line: int | None) -> bool:
    """Tick the box of an open TODO; False where it has none, or its line is not what it was."""
    place = find(root, path, text, line)
    if place.state != "open" or place.line is None:
        return False
    file = root / path
    raw = file.read_bytes()
    lines = raw.split(b"\n")
    at = place.line - 1
    if at >= len(lines):
        return False
    before = lines[at].decode("utf-8", "surrogateescape")
    after, n = _BOX.subn(r"\1[x]", before, count=1)
    if not n:
        return False
    lines[at] = after.encode("utf-8", "surrogateescape")
    ticked = b"\n".join(lines)
    # A file that is put together otherwise than it looks may have its lines elsewhere: no other box is ticked.
    if not _is_only_change(_items(raw, path), _items(ticked, path), place.line):
        return False
    _replace(file, raw, ticked)
    return True


def _items(raw: bytes, path: str) -> Sequence[TodoItem]:
    return items_of(raw.decode("utf-8-sig", "replace"), path)


def _is_only_change(before: Sequence[TodoItem], after: Sequence[TodoItem], line: int) -> bool:
    """Whether the item of a line was closed, and nothing else differs but what lies below it."""
    closed = [new for old, new in zip(before, after, strict=False) if old.is_open and not new.is_open]
    return len(before) == len(after) and bool(closed) and closed[0].line == line


def _replace(file: Path, before: bytes, after: bytes) -> None:
    """Put `after` in the place of a file that still holds `before`; an OSError leaves it as it is."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(after)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, file.stat().st_mode & 0o7777)
        if file.read_bytes() != before:
            raise OSError("the file was changed meanwhile")
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise
