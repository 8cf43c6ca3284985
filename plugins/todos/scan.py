"""The discovery of the `todos` job: every TODO file of the repositories, matched with what earlier scans gave."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from engine.contracts.context import DiscoveryContext
from engine.contracts.item import Candidate, Known
from engine.contracts.seam import accepts
from engine.kit.files import FileProblem, NoText
from plugins.todos.alike import normalise
from plugins.todos.commands import spots
from plugins.todos.comments import code_files, is_code
from plugins.todos.items import TodoItem
from plugins.todos.match import EXACT, Pair, match
from plugins.todos.places import read_todos, todo_files
from plugins.todos.sides import Spot

_DUPLICATES: Final = 5
_SURE: Final = 85.0
"""Score of a reworded text from which on it surely is the same task."""


@accepts("paragraphs", "comments")
async def discover(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Yield every open item, and the known ones that were closed in their file.

    Params: `paragraphs` (bool) takes paragraphs outside lists for items too; `comments` (bool) takes TODO, FIXME, HACK
    and XXX comments in code, too.
    """
    items: list[TodoItem] = []
    complete = True
    seen: set[str] = set()
    for repository in ctx.repositories:
        prefix = _from_root(ctx, repository)
        files, problems = await asyncio.to_thread(todo_files, repository)
        for problem in problems:
            ctx.problem(problem.problem, path=prefix)
            complete = False
        if ctx.params.get("comments", False):
            files += await asyncio.to_thread(code_files, repository)
        for file in files:
            name = file if prefix == "." else f"{prefix}/{file}"
            if ctx.cancelled:
                ctx.scope(sorted(seen), complete=False)
                return
            if name in seen:
                continue
            seen.add(name)
            try:
                paragraphs = bool(ctx.params.get("paragraphs", False))
                items += await asyncio.to_thread(read_todos, repository, file, name=name, paragraphs=paragraphs)
            except FileProblem as problem:
                if isinstance(problem, NoText) and is_code(file):
                    continue  # a video that ends in `.ts`, a dump, a submodule: nobody comments there
                ctx.problem(str(problem), path=name)
                complete = False
    known = await ctx.known()
    identity = await asyncio.to_thread(identify, known, items)
    for candidate in _candidates(ctx, items, identity):
        yield candidate
    ctx.scope(sorted(seen), complete=complete)


def _from_root(ctx: DiscoveryContext, folder: Path) -> str:
    return Path(os.path.relpath(folder, ctx.root)).as_posix()


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Which known item a found one is."""

    known: Known
    pair: Pair


def identify(known: Sequence[Known], items: Sequence[TodoItem]) -> dict[int, Identity]:
    """Return the known item for each found one that has one, by its index.

    Items that are gone may only come back with their very text: a new item that is merely like one is new.
    """
    now = spots(items)
    result: dict[int, Identity] = {}
    for gone in (False, True):
        olds = [item for item in known if (item.state == "gone") is gone and item.path is not None]
        rest = [index for index in range(len(items)) if index not in result]
        if not olds or not rest:
            continue
        for pair in match([_spot(item) for item in olds], [now[index] for index in rest]).pairs:
            if not gone or pair.tier in EXACT:
                result[rest[pair.new]] = Identity(known=olds[pair.old], pair=pair)
    return result


def _spot(item: Known) -> Spot:
    return Spot(
        file=item.path or "",
        line=item.line or 0,
        text=str(item.data.get("text") or item.title),
        parent=str(item.data.get("parent") or ""),
        headings=item.headings,
    )


def _candidates(
    ctx: DiscoveryContext, items: Sequence[TodoItem], identity: Mapping[int, Identity]
) -> Iterator[Candidate]:
    places = _places_by_text(items)
    keys: dict[tuple[str, int], str] = {}
    for index, item in enumerate(items):
        before = identity.get(index)
        if before is None and not item.is_open:
            continue
        key = before.known.key if before else ctx.mint()
        keys[item.file, item.line] = key
        closed, why = _closing(item)
        yield Candidate(
            key=key,
            title=item.text,
            data=_data(items, index, before, places[normalise(item.text)]),
            revision=revision(item),
            ask_again=_is_weak(before),
            closed=closed,
            why=why,
            priority=item.priority,
            path=item.file,
            line=item.line,
            headings=item.headings,
            parent_key=keys.get((item.file, item.parent_line)) if item.parent_line else None,
            confidence=item.confidence,
        )


def _is_weak(before: Identity | None) -> bool:
    """Whether a reworded item may well be another task: what was accepted must not run on without a person's word."""
    return before is not None and before.pair.tier not in EXACT and before.pair.score < _SURE


def _closing(item: TodoItem) -> tuple[Literal["done", "cancelled"] | None, str]:
    if item.state == "done":
        return "done", f"ticked off in {item.file}"
    if item.state == "dropped":
        return "cancelled", f"dropped in {item.file}"
    return None, ""


def revision(item: TodoItem) -> str:
    """Return a hash of what an item says and where; the line, the box and the way it is written do not count."""
    parts = (normalise(item.text), item.file, *map(normalise, item.headings))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _places_by_text(items: Sequence[TodoItem]) -> Mapping[str, list[TodoItem]]:
    places: dict[str, list[TodoItem]] = defaultdict(list)
    for item in items:
        if item.is_open:
            places[normalise(item.text)].append(item)
    return places


def _data(
    items: Sequence[TodoItem],
    index: int,
    before: Identity | None,
    same: Sequence[TodoItem],
) -> dict[str, Any]:
    item = items[index]
    above = items[index - 1] if index else None
    below = items[index + 1] if index + 1 < len(items) else None
    data: dict[str, Any] = {
        "text": item.text,
        "raw": item.raw,
        "state": item.state,
        "kind": item.kind,
        "confidence": item.confidence,
        "end_line": item.end_line,
        "parent_line": item.parent_line,
        "parent": item.parent or None,
        "tags": list(item.tags),
        "duplicates": [
            {"path": other.file, "line": other.line, "text": other.text} for other in same if other is not item
        ][:_DUPLICATES],
        "neighbours": [
            other.text if other is not None and other.file == item.file else None for other in (above, below)
        ],
    }
    was = _was(item, before)
    if was is not None:
        data["was"] = was
    return data


def _was(item: TodoItem, before: Identity | None) -> Mapping[str, Any] | None:
    """The text this item had before it was reworded, kept until it is reworded again."""
    if before is None:
        return None
    if before.pair.tier in EXACT:
        kept = before.known.data.get("was")
        return kept if isinstance(kept, Mapping) else None
    old = str(before.known.data.get("text") or before.known.title)
    return {"text": old, "tier": before.pair.tier, "score": before.pair.score}
