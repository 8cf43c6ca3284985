"""An old `queue.yaml` as items: a list of maps with id, title, status, priority, effort, project, or a map with one.

Everything else that an entry holds is kept in its data. Read again, the same entries are the same items.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from engine.contracts.errors import UseError
from engine.kit.files import FileProblem, read_text
from engine.kit.safe_text import safe_line

_LIMIT: Final = 5_000_000
_ENTRIES_MAX: Final = 20_000
_ALIASES_MAX: Final = 100
_LISTS: Final = ("queue", "items", "tasks", "todos", "entries")
_TITLES: Final = ("title", "name", "summary", "task", "text", "description")
_DONE: Final = frozenset({"done", "complete", "completed", "closed", "finished", "resolved", "merged", "fixed", "x"})
_CANCELLED: Final = frozenset(
    {
        "cancelled",
        "canceled",
        "dropped",
        "wontfix",
        "wont fix",
        "won't fix",
        "wont do",
        "rejected",
        "obsolete",
        "duplicate",
    }
)
_PRIORITIES: Final[Mapping[str, int]] = {
    "p0": 0, "0": 0, "urgent": 0, "critical": 0, "blocker": 0, "highest": 0,
    "p1": 1, "1": 1, "high": 1, "important": 1,
    "p2": 2, "2": 2, "normal": 2, "medium": 2, "default": 2,
    "p3": 3, "3": 3, "low": 3, "lowest": 3, "minor": 3, "4": 3,
}  # fmt: skip
_EFFORTS: Final[Mapping[str, str]] = {
    "s": "small", "xs": "small", "small": "small", "low": "small", "easy": "small", "trivial": "small",
    "m": "medium", "medium": "medium", "normal": "medium",
    "l": "large", "xl": "large", "large": "large", "high": "large", "hard": "large",
}  # fmt: skip


def read_queue(path: Path) -> list[dict[str, Any]]:
    """Return one map per entry, as the command `import` takes them: key, title, priority, closed, signals, data.

    UseError says what is wrong with the file, and with which entry.
    """
    try:
        text = read_text(path.parent, path.name, limit=_LIMIT)
    except FileProblem as problem:
        raise UseError(f"{path}: {problem}") from problem
    if text.count("&") > _ALIASES_MAX and text.count("*") > _ALIASES_MAX:
        raise UseError(f"{path}: too many anchors and aliases")
    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UseError(f"{path}: it is no YAML: {safe_line(str(error), 200)}") from error
    entries = _entries(told)
    if entries is None:
        raise UseError(f"{path}: it holds no list of entries (nor one below {', '.join(_LISTS)})")
    if len(entries) > _ENTRIES_MAX:
        raise UseError(f"{path}: more than {_ENTRIES_MAX:,} entries")
    return list(_read(path, entries))


def _entries(told: object) -> Sequence[Any] | None:
    if isinstance(told, Mapping):
        told = next((told[name] for name in _LISTS if isinstance(told.get(name), list)), None)
    return told if isinstance(told, list) else None


def _read(path: Path, entries: Sequence[Any]) -> Iterator[dict[str, Any]]:
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, str):
            entry = {"title": entry}
        if not isinstance(entry, Mapping):
            raise UseError(f"{path}: entry {number} is neither a map nor a line of text")
        fields = {str(name).strip().lower(): value for name, value in entry.items()}
        title = next((safe_line(str(fields[name]), 300) for name in _TITLES if fields.get(name)), "")
        if not title:
            raise UseError(f"{path}: entry {number} has no title")
        told = fields.get("id", fields.get("key"))
        mark = safe_line(str(told), 100) if told is not None else hashlib.sha256(title.encode()).hexdigest()[:10]
        if mark in seen:
            raise UseError(f"{path}: entries {seen[mark]} and {number} have the same id, {mark}")
        seen[mark] = number
        yield _item(mark, title, fields)


def _item(mark: str, title: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    status = str(fields.get("status", fields.get("state", ""))).strip().lower().replace("_", " ").replace("-", " ")
    priority = _PRIORITIES.get(str(fields.get("priority", fields.get("prio", ""))).strip().lower())
    effort = _EFFORTS.get(str(fields.get("effort", fields.get("size", ""))).strip().lower())
    signals = {"effort": effort} if effort else {}
    if fields.get("project"):
        signals["project"] = safe_line(str(fields["project"]), 100)
    rest = {safe_line(name, 60): _plain(value) for name, value in fields.items() if name not in ("id", "key")}
    closed = "done" if status in _DONE else "cancelled" if status in _CANCELLED else None
    data = {"text": title, "raw": title, "imported": rest}
    return {
        "key": f"import:{mark}",
        "title": title,
        "priority": priority,
        "closed": closed,
        "signals": signals,
        "data": data,
    }


def _plain(value: Any, depth: int = 0) -> Any:
    """A value of YAML as JSON has it; dates become text."""
    if isinstance(value, bool | int | float | None.__class__):
        return value
    if isinstance(value, Mapping) and depth < 5:
        return {safe_line(str(name), 60): _plain(one, depth + 1) for name, one in list(value.items())[:100]}
    if isinstance(value, list) and depth < 5:
        return [_plain(one, depth + 1) for one in value[:100]]
    return safe_line(str(value), 1_000)
