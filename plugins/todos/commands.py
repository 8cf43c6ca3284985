"""What the command line prints for TODO files: plain rows, ready for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from engine.contracts.errors import UseError
from plugins.todos.brief import search_root
from plugins.todos.items import TodoItem
from plugins.todos.match import match
from plugins.todos.places import Unreadable, scan_folder
from plugins.todos.scope import input_hash
from plugins.todos.sides import Spot

_OLD_DAYS: Final = 90
_DAY_MS: Final = 86_400_000
_PRIVATE: Final = ("raw", "tags", "parent")


def scan_rows(path: Path) -> Iterator[dict[str, object]]:
    """Yield a row for each item, and `{"file", "problem"}` for what cannot be read; UseError without such a path."""
    if not path.exists() and not path.is_symlink():
        raise UseError(f"{path}: no such file or folder")
    for found in scan_folder(path):
        yield {name: value for name, value in asdict(found).items() if name not in _PRIVATE}


def match_files(old: Path, new: Path) -> dict[str, object]:
    """Say which item of the new file is which of the old one; UseError if either cannot be read.

    `matches` are in the order of the new file; all lines are 1-based.
    """
    before, after = _items(old), _items(new)
    found = match(spots(before, file=""), spots(after, file=""))
    return {
        "matches": [
            {
                "old_line": before[pair.old].line,
                "new_line": after[pair.new].line,
                "tier": pair.tier,
                "score": pair.score,
            }
            for pair in found.pairs
        ],
        "new": [after[index].line for index in found.new],
        "gone": [before[index].line for index in found.gone],
    }


def spots(items: Sequence[TodoItem], *, file: str | None = None) -> list[Spot]:
    """Return items as matching sees them; with `file`, all in a file of that name."""
    return [
        Spot(
            file=item.file if file is None else file,
            line=item.line,
            text=item.text,
            parent=item.parent,
            headings=item.headings,
        )
        for item in items
    ]


def _items(path: Path) -> list[TodoItem]:
    items: list[TodoItem] = []
    for found in scan_folder(path):
        if isinstance(found, Unreadable):
            raise UseError(f"{found.file}: {found.problem}")
        items.append(found)
    return items


def scope_is_old(
    root: Path,
    *,
    text: str,
    path: str | None,
    headings: Sequence[str],
    made_of: str | None,
    made_at: int | None,
    now: int,
) -> str | None:
    """Say why a scope is old: the project went on since, or it was made long ago (`made_at`, `now`: ms UTC)."""
    if made_of is None or made_at is None:
        return "nothing says what it was made of"
    days = (now - made_at) // _DAY_MS
    if days >= _OLD_DAYS:
        return f"it is {days} days old"
    if input_hash(text, path, headings, search_root(root, path)) != made_of:
        return "the project has changed since"
    return None
