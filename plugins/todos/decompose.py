"""Stage `decompose`: a large TODO gets a child item for each part that its scope names; a simple one is its own task.

Children inherit the priority and come one after the other; the item itself is finished when they are. They wait at the
gate like every other item, since it was a model that named them.

Params: `from` (`large` or `medium`: from which effort on), `most` (parts of one item).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from engine.contracts.context import Context
from engine.contracts.item import Candidate
from engine.contracts.outcome import Done, Skip
from engine.contracts.seam import accepts
from engine.kit.safe_text import safe_line
from plugins.todos.alike import normalise

_SIZES: Final = {"large": ("large",), "medium": ("large", "medium")}
_MOST: Final = 12


@accepts("from", "most")
async def handle(ctx: Context) -> Done | Skip:
    """Hand on {parts: [{key, title}]}; the parts are emitted as children."""
    if "part_of" in ctx.item.data:
        return Skip(why="it is a part itself")
    scope = ctx.upstream.get("scope")
    if scope is None:
        return Skip(why="nothing says how large it is")
    if scope.get("effort") not in _SIZES.get(str(ctx.params.get("from") or "large"), ("large",)):
        return Skip(why=f"its effort is {scope.get('effort')}: it is a task of its own")
    parts = _parts(scope.get("subtasks"), int(ctx.params.get("most") or _MOST))
    if len(parts) < 2:
        return Skip(why=f"its effort is {scope.get('effort')}, but its scope names no parts")
    item, keys = ctx.item, [f"{ctx.item.key}.{number}" for number in range(1, len(parts) + 1)]
    whole = {"key": item.key, "title": item.title, "path": item.path, "line": item.line}
    for number, (key, text) in enumerate(zip(keys, parts, strict=True), start=1):
        ctx.emit(
            Candidate(
                key=key,
                title=text,
                data={"text": text, "raw": text, "part": number, "parts": len(parts), "part_of": whole},
                revision=hashlib.sha256(normalise(text).encode()).hexdigest()[:16],
                needs=tuple(keys[number - 2 : number - 1]),
                priority=ctx.item.priority if ctx.item.priority in (0, 1, 2, 3) else None,  # type: ignore[arg-type]
                headings=(*item.headings, safe_line(item.title, 200)),
                confidence="high",
            )
        )
    ctx.emit(Candidate(key=item.key, needs=tuple(keys)))
    told = [{"key": key, "title": text} for key, text in zip(keys, parts, strict=True)]
    return Done(output={"summary": f"{len(parts)} parts, one after the other", "parts": told})


def _parts(told: object, most: int) -> list[str]:
    """The distinct parts in order."""
    listed = told if isinstance(told, Sequence) and not isinstance(told, str) else ()
    found: dict[str, str] = {}
    for entry in listed:
        text = safe_line(str(entry), 200)
        if text:
            found.setdefault(normalise(text), text)
    return list(found.values())[:most]
