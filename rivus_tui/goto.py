"""Where `:` leads: the screen, job, item, place in a file, incident, version or filter that a text names; reads."""

from __future__ import annotations

import re
from typing import Final

from textual.message import Message

from engine.contracts.api import Reader
from engine.contracts.view import ItemQuery, ItemView
from engine.rules.filters import QUALIFIERS
from rivus_tui.filters import narrowed, quoted, with_job
from rivus_tui.memory import Memory, View
from rivus_tui.messages import ItemOpened, ItemsAsked, ListAsked, ViewAsked
from rivus_tui.rooms import standing
from rivus_tui.sources import item_key

_PLACE: Final = re.compile(r"(?P<path>.+?):(?P<line>\d{1,9})")
_VERSION: Final = re.compile(r"[0-9a-f]{4,64}")
_NEAR: Final = 200
"""Items of one file or name that are looked at for the one that is meant."""


def goal(text: str, reader: Reader, memory: Memory, back: str) -> Message | None:
    """Return what leads there, the surest meaning first; None when nothing is called so. `back`: where Esc leads."""
    name = text.strip()
    if not name:
        return None
    return (
        _screen(name)
        or (ViewAsked(memory.views[name]) if name in memory.views else None)
        or _job(name, reader, back)
        or _filter(name, back)
        or _place(name, reader, back)
        or _incident(name, reader)
        or _version(name, reader)
        or _item(name, reader, back)
    )


def _screen(name: str) -> Message | None:
    known = name.casefold()
    for room in standing():
        if known in (room.key, room.mode, room.title.casefold(), room.short.casefold()):
            return ListAsked(room.mode)
    return None


def _job(name: str, reader: Reader, back: str) -> Message | None:
    found = next((job for job in reader.jobs() if name in (job.name, job.title)), None)
    return None if found is None else ItemsAsked(with_job("", found.findings_to or found.name), back=back)


def _filter(name: str, back: str) -> Message | None:
    """Whatever begins with a qualifier is a filter."""
    head, colon, value = name.lstrip("!").partition(":")
    return ItemsAsked(name, back=back) if colon and value.strip() and head in QUALIFIERS else None


def _place(name: str, reader: Reader, back: str) -> Message | None:
    match = _PLACE.fullmatch(name)
    if match is None:
        return None
    found = _items(f"file:{quoted(match['path'])}", reader)
    there = [item for item in found if item.line == int(match["line"])]
    if there:
        return ItemOpened(item_key(there[0]))
    return ItemsAsked(f"file:{quoted(match['path'])}", back=back) if found else None


def _incident(name: str, reader: Reader) -> Message | None:
    found = reader.incident(name.removeprefix("#"))
    return None if found is None else ViewAsked(View(mode="doctor", filter=found.label))


def _version(name: str, reader: Reader) -> Message | None:
    if not _VERSION.fullmatch(name):
        return None
    for one in reader.stale():
        if any(version is not None and version.startswith(name) for version in (one.new, one.old)):
            return ViewAsked(View(mode="stale", filter=f"{one.job}.{one.stage}"))
    return None


def _item(name: str, reader: Reader, back: str) -> Message | None:
    found = _items(quoted(name), reader)
    exact = [item for item in found if name in (item.key, f"{item.job}/{item.key}")]
    if len(exact) == 1 or len(found) == 1:
        return ItemOpened(item_key((exact or found)[0]))
    return ItemsAsked(quoted(name), back=back) if found else None


def _items(text: str, reader: Reader) -> list[ItemView]:
    return reader.items_page(narrowed(text, ItemQuery()), None, _NEAR)
