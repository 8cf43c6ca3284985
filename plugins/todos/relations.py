"""How accepted TODOs hang together, as their scopes say: who waits for whom, and who is about the same. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.contracts.context import Peer
from plugins.todos.alike import normalise


def home(path: str | None, data: Mapping[str, Any]) -> str | None:
    """Return the file that an item belongs to: its own, or that of the item it is a part of; None: to none."""
    whole = data.get("part_of")
    return path or (str(whole["path"]) if isinstance(whole, Mapping) and whole.get("path") else None)


def meant(told: object, others: Iterable[Peer]) -> list[Peer]:
    """Return which of the others a scope means by its confirmed entries (`depends_on`, `overlaps`)."""
    listed = told if isinstance(told, Sequence) and not isinstance(told, str) else ()
    wanted = {place for entry in listed if (place := _place(entry)) is not None}
    return [other for other in others if (other.path, _words(other.data, other.title)) in wanted]


def is_meant(told: object, *, path: str | None, text: str) -> bool:
    """Whether a scope's confirmed entries mean the TODO that stands there with that text."""
    listed = told if isinstance(told, Sequence) and not isinstance(told, str) else ()
    return any(_place(entry) == (path, normalise(text)) for entry in listed)


def waits_for_me(peers: Iterable[Peer], *, path: str | None, text: str) -> list[Peer]:
    """Return the others whose scope says that they come after the TODO that stands there with that text."""
    return [peer for peer in peers if is_meant(peer.output.get("depends_on"), path=path, text=text)]


def cluster(me: Mapping[str, Any], *, path: str | None, text: str, peers: Sequence[Peer]) -> list[Peer]:
    """Return the others that overlap with me, or with one that does, whichever side said so."""
    found: dict[str, Peer] = {}
    edge = [*meant(me.get("overlaps"), peers)]
    edge += [peer for peer in peers if is_meant(peer.output.get("overlaps"), path=path, text=text)]
    while edge:
        one = edge.pop()
        if one.key in found:
            continue
        found[one.key] = one
        words = _words(one.data, one.title)
        edge += meant(one.output.get("overlaps"), peers)
        edge += [peer for peer in peers if (one.path, words) in _places(peer.output.get("overlaps"))]
    return [found[key] for key in sorted(found)]


def shared_files(scopes: Sequence[Mapping[str, Any]], least: int) -> list[str]:
    """Return the confirmed files that at least so many scopes name, the most named first."""
    count: dict[str, int] = {}
    for scope in scopes:
        files = scope.get("files")
        for entry in files if isinstance(files, Sequence) and not isinstance(files, str) else ():
            if isinstance(entry, Mapping) and entry.get("confirmed") is True:
                count[str(entry.get("path"))] = count.get(str(entry.get("path")), 0) + 1
    return sorted((path for path, n in count.items() if n >= least), key=lambda path: (-count[path], path))


def _places(told: object) -> set[tuple[str | None, str]]:
    listed = told if isinstance(told, Sequence) and not isinstance(told, str) else ()
    return {place for entry in listed if (place := _place(entry)) is not None}


def _place(entry: object) -> tuple[str | None, str] | None:
    if not isinstance(entry, Mapping) or entry.get("confirmed") is not True or not entry.get("todo"):
        return None
    return str(entry.get("path")), normalise(str(entry["todo"]))


def _words(data: Mapping[str, Any], title: str) -> str:
    return normalise(str(data.get("text") or title))
