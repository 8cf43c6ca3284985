"""Stage `context`: the facts a person needs to decide on a TODO, from git and the file; no model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.outcome import Done
from engine.kit.clock import SystemClock
from engine.kit.files import FileProblem, read_text
from engine.kit.git import git
from engine.kit.safe_text import safe_line
from plugins.todos.alike import normalise
from plugins.todos.items import TodoItem
from plugins.todos.texts import items_of

_AROUND: Final = 6
"""Lines of the file shown before and after the item."""
_LONGEST_ITEM: Final = 12
_DAY_MS: Final = 86_400_000
_UNCOMMITTED: Final = re.compile(r"0{40}|0{64}")
_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """Who wrote something, and when."""

    id: str
    """Empty for what is not committed yet."""
    author: str
    subject: str
    at: int
    """Author time, ms UTC."""


def handle(ctx: Context) -> Done:
    """Look at the item's line in its file and in git; a file that is gone or unreadable is a fact, not a failure."""
    path, data = ctx.item.path, ctx.item.data
    if path is None:
        return Done(output={"facts": [["place", "not from a file"]], "duplicates": []})
    folder, name = (ctx.root / path).parent, Path(path).name
    now = SystemClock().now()
    try:
        text = read_text(folder, name)
    except FileProblem as problem:
        return Done(output={"facts": [["place", f"{path}: {problem}"]], "duplicates": []})
    is_finding = "check" in data
    line = _line_of_finding(text, ctx.item.line) if is_finding else _line_of_todo(ctx, text, path)
    commit, blame_problem = blame(folder, name, line) if line else (None, "the item is not in the file any more")
    last = last_change(folder, name) if blame_problem is None else None
    age_days = max(0, (now - commit.at) // _DAY_MS) if commit and commit.id else None
    duplicates = list(data.get("duplicates") or [])
    output: dict[str, Any] = {
        "facts": [
            *(_finding_facts(data) if is_finding else ()),
            *_history(commit, blame_problem, age_days),
            *([["file changed", f"{days(now - last.at)} ago by {last.author}: {last.subject}"]] if last else []),
            ["confidence", str(data.get("confidence") or "high")],
            *([["state", str(data["state"])]] if data.get("state") in ("partial", "paused") else []),
            *([["tags", " ".join(map(str, data["tags"]))]] if data.get("tags") else []),
            *(() if is_finding else _duplicate_facts(duplicates)),
            *_was_fact(data.get("was")),
        ],
        "age_days": age_days,
        "written_at": commit.at if commit and commit.id else None,
        "active_at": last.at if last else None,
        "commit": commit.id if commit and commit.id else None,
        "neighbours": list(data.get("neighbours") or []),
        "duplicates": duplicates,
    }
    if line:
        output["snippet"] = snippet(text, path, line, int(data.get("end_line") or line))
    return Done(output=output)


def _line_of_todo(ctx: Context, text: str, path: str) -> int | None:
    return find_line(items_of(text, path), ctx.item.title, ctx.item.data, ctx.item.line)


def _line_of_finding(text: str, line: int | None) -> int | None:
    """A finding knows its line from the run that saw it last; the file may be shorter by now."""
    return line if line is not None and line <= text.count("\n") + 1 else None


def _finding_facts(data: Mapping[str, Any]) -> list[list[str]]:
    """What the check says about its finding, as it says it."""
    told = data.get("facts") or []
    known = [[safe_line(str(label), 40), safe_line(str(value), 300)] for label, value in told]
    return known or [["found by", safe_line(f"{data['check']}, rule {data.get('rule', '?')}", 80)]]


def find_line(items: Sequence[TodoItem], title: str, data: Mapping[str, Any], line: int | None) -> int | None:
    """Return the line where an item stands now: the nearest one with its text, since the file may have changed."""
    wanted = normalise(str(data.get("text") or title))
    places = [item.line for item in items if normalise(item.text) == wanted]
    return min(places, key=lambda place: abs(place - (line or 0)), default=None)


def blame(folder: Path, name: str, line: int) -> tuple[Commit | None, str | None]:
    """Return the commit that last wrote a line, or why there is none."""
    result = git(
        folder, "blame", "--no-textconv", "--porcelain", "-w", "-L", f"{line},{line}", "--", name, timeout_s=_TIMEOUT_S
    )
    if not result.ok:
        return None, _why(result.code, result.error)
    return read_blame(result.text), None


def read_blame(text: str) -> Commit:
    """What `git blame --porcelain` says of one line."""
    first, *rest = text.split("\n")
    fields = dict(entry.split(" ", 1) for entry in rest if " " in entry and not entry.startswith("\t"))
    commit = first.split(" ", 1)[0]
    return Commit(
        id="" if _UNCOMMITTED.fullmatch(commit) else commit,
        author=safe_line(fields.get("author", "unknown"), 120),
        subject=safe_line(fields.get("summary", ""), 200),
        at=int(fields.get("author-time", "0")) * 1000,
    )


def last_change(folder: Path, name: str) -> Commit | None:
    """Return the last commit that touched a file, or None."""
    result = git(folder, "log", "-1", "--format=%H%x00%at%x00%an%x00%s", "--", name, timeout_s=_TIMEOUT_S)
    parts = result.text.strip("\n").split("\0")
    if not result.ok or len(parts) != 4:
        return None
    return Commit(
        id=parts[0], at=int(parts[1]) * 1000, author=safe_line(parts[2], 120), subject=safe_line(parts[3], 200)
    )


def snippet(text: str, path: str, line: int, end_line: int) -> dict[str, Any]:
    """Return the lines around an item: `start` is the 1-based number of the first, `here` that of the item."""
    lines = text.replace("\r\n", "\n").split("\n")
    start = max(1, line - _AROUND)
    end = min(len(lines), min(end_line, line + _LONGEST_ITEM) + _AROUND)
    return {
        "path": safe_line(path),
        "start": start,
        "here": line,
        "lines": [" " * _indent(each) + safe_line(each, 300) for each in lines[start - 1 : end]],
    }


def days(span_ms: int) -> str:
    """Return a span in words, such as `today` for less than a day or `9 days`."""
    count = max(0, span_ms) // _DAY_MS
    return "less than a day" if count == 0 else "1 day" if count == 1 else f"{count:,} days"


def _history(commit: Commit | None, problem: str | None, age_days: int | None) -> list[list[str]]:
    if commit is None:
        return [["age", f"unknown: {problem}"]]
    if not commit.id or age_days is None:
        return [["age", "not committed yet"]]
    return [
        ["age", days(age_days * _DAY_MS)],
        ["author", commit.author],
        ["commit", f"{commit.id[:10]} {commit.subject}".strip()],
    ]


def _duplicate_facts(duplicates: Sequence[Any]) -> list[list[str]]:
    places = [f"{place['path']}:{place['line']}" for place in duplicates if isinstance(place, Mapping)]
    return [["duplicates", f"{len(places)}: {', '.join(places)}" if places else "none"]]


def _was_fact(was: object) -> list[list[str]]:
    return [["was", str(was.get("text"))]] if isinstance(was, Mapping) else []


def _why(code: int, error: str) -> str:
    if code == 127:
        return "git is not installed"
    if code == 124:
        return "git took too long"
    if "not a git repository" in error:
        return "not in a git repository"
    if "no such path" in error or "no such ref" in error.lower() or "HEAD" in error:
        return "the file is not in git"
    return safe_line(error, 200) or "git failed"


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return min(40, len(expanded) - len(expanded.lstrip(" ")))
