"""The TODOs of one text, by what kind of file it is: a list that a person keeps, or code with comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from plugins.todos.comments import comments_of, is_code
from plugins.todos.items import TodoItem
from plugins.todos.lines import scan_text

_FRONT: Final = re.compile(r"\A---[ \t]*\n(.{0,4000}?)\n---[ \t]*(?:\n|\Z)", re.S)
_STYLE: Final = re.compile(r"^todos:[ \t]*[\"']?(\w+)", re.M)


def items_of(text: str, file: str, *, name: str | None = None, paragraphs: bool = False) -> Sequence[TodoItem]:
    """Return the TODOs of a file's text, found under the path `file`; `name` is the path that the items carry.

    The front matter of a list may say `todos: paragraphs` (each paragraph is an item), `todos: headings` (each
    innermost heading is one, with what stands below it as its detail) or `todos: none`.
    """
    return _parsed(text, file, name or file, paragraphs)


@lru_cache(maxsize=4_000)
def _parsed(text: str, file: str, name: str, paragraphs: bool) -> tuple[TodoItem, ...]:
    if is_code(file):
        return tuple(comments_of(text, file, name))
    front = _FRONT.match(text.replace("\r\n", "\n"))
    said = _STYLE.search(front[1]) if front else None
    style = said[1] if said is not None else ""
    if style == "none":
        return ()
    return tuple(
        scan_text(text, file=name, paragraphs=paragraphs or style == "paragraphs", headings=style == "headings")
    )
