"""Stage `brief`: what somebody who does the task needs to start; no model.

Which files mention its words, with the lines; the code around the best of them; other TODOs that overlap. Written as a
Markdown artifact and returned as data. The same files give the same brief.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.outcome import Artifact, Done
from engine.kit.files import FileProblem, read_text
from engine.kit.git import git
from engine.kit.safe_text import safe_block, safe_line
from plugins.todos.alike import normalise, overlap, rarity
from plugins.todos.items import TodoItem
from plugins.todos.mentions import Mention, Term, find_mentions, terms_of
from plugins.todos.places import read_todos, todo_files
from plugins.todos.relations import home

_FILES: Final = 8
_EXCERPTS: Final = 3
_AROUND: Final = 6
_RELATED: Final = 5
_RELATED_FROM: Final = 35.0
"""Weighted share of common words, 0 to 100, from which two TODOs are related."""
_RELATED_FILES: Final = 200
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Related:
    """Another TODO about much the same."""

    path: str
    line: int
    text: str
    state: str


def handle(ctx: Context) -> Done:
    """Search the repository for what the item is about and write `brief.md`."""
    item = ctx.item
    base = search_root(ctx.root, home(item.path, item.data))
    text = str(item.data.get("raw") or item.title)
    terms = terms_of(text, item.headings[-1:])
    mentions = find_mentions(base, terms, limit=_FILES, stop=lambda: ctx.cancelled)
    ctx.progress(1, 2, "related items")
    related = find_related(base, normalise(item.title), item.path, item.line, ctx.root)
    shown = [_from_root(ctx.root, base, mention.path) for mention in mentions]
    document = render(ctx, mentions, shown, related, terms, base)
    _write(ctx.artifact_dir / "brief.md", document)
    return Done(
        output={
            "summary": summary(mentions, shown, related),
            "files": [
                {
                    "path": path,
                    "score": mention.score,
                    "terms": list(mention.terms),
                    "lines": [[number, line] for number, line in mention.lines],
                }
                for path, mention in zip(shown, mentions, strict=True)
            ],
            "related": [
                {"path": other.path, "line": other.line, "text": other.text, "state": other.state} for other in related
            ],
            "facts": [
                ["looked for", ", ".join(term.text for term in terms) or "nothing telling in the text"],
                ["files", str(len(mentions))],
                ["related items", str(len(related))],
            ],
        },
        artifacts=(Artifact(path="brief.md", type="text/markdown"),),
    )


def search_root(root: Path, path: str | None) -> Path:
    """Return the folder to search: the item's repository, but never more than the project where that is part of one."""
    folder = (root / path).parent if path else root
    result = git(folder, "rev-parse", "--show-toplevel")
    if not result.ok:
        return root if folder.is_relative_to(root) else folder
    top = Path(result.text.strip("\n"))
    return root if root.resolve().is_relative_to(top) and folder.resolve().is_relative_to(root.resolve()) else top


def find_related(base: Path, text: str, path: str | None, line: int | None, root: Path) -> list[Related]:
    """Return open TODOs below a folder that share telling words with a normalised text, most alike first."""
    items: list[TodoItem] = []
    files, _ = todo_files(base)
    for file in files[:_RELATED_FILES]:
        try:
            items += read_todos(base, file, name=_from_root(root, base, file))
        except FileProblem:
            continue  # the scan reports it
    weights = rarity(normalise(item.text) for item in items)
    scored = []
    for item in items:
        if item.is_open and (item.file, item.line) != (path, line):
            score = overlap(text, normalise(item.text), weights).both
            if score >= _RELATED_FROM:
                scored.append((-score, item.file, item.line, item))
    return [
        Related(path=item.file, line=item.line, text=item.text, state=item.state)
        for *_, item in sorted(scored, key=lambda entry: entry[:3])[:_RELATED]
    ]


def summary(mentions: Sequence[Mention], shown: Sequence[str], related: Sequence[Related]) -> str:
    """Return the brief in one line."""
    if not mentions:
        found = "no file mentions it"
    else:
        more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
        found = f"see {shown[0]}:{mentions[0].lines[0][0]}{more}"
    return f"{found}; {len(related)} related {'item' if len(related) == 1 else 'items'}"


def render(
    ctx: Context,
    mentions: Sequence[Mention],
    shown: Sequence[str],
    related: Sequence[Related],
    terms: Sequence[Term],
    base: Path,
) -> str:
    """Return the brief as Markdown; what comes from files stands in code blocks or is escaped."""
    item = ctx.item
    out = [f"# {_escape(item.title)}", ""]
    if item.path:
        out += [f"From `{_inline(item.path)}`{f', line {item.line}' if item.line else ''}.", ""]
    if item.headings:
        out += [f"Section: {' › '.join(_escape(heading) for heading in item.headings)}", ""]
    out += _facts(ctx.upstream.get("context", {}))
    out += ["## Files that mention it", ""]
    for path, mention in zip(shown, mentions, strict=True):
        out.append(f"- `{_inline(path)}` ({', '.join(f'`{_inline(word)}`' for word in mention.terms)})")
        out += [f"  - line {number}: `{_inline(line)}`" for number, line in mention.lines]
    if not mentions:
        out.append(f"None for {', '.join(f'`{_inline(term.text)}`' for term in terms) or 'this text'}.")
    for path, mention in list(zip(shown, mentions, strict=True))[:_EXCERPTS]:
        out += _excerpt(base, mention, path)
    if related:
        out += ["", "## Related items", ""]
        out += [f"- `{_inline(other.path)}:{other.line}` {_escape(other.text)}" for other in related]
    return "\n".join(out).rstrip() + "\n"


def _facts(context: Mapping[str, Any]) -> list[str]:
    facts = [fact for fact in context.get("facts", []) if isinstance(fact, list | tuple) and len(fact) == 2]
    return [*(f"- {_escape(str(label))}: {_escape(str(value))}" for label, value in facts), ""] if facts else []


def _excerpt(base: Path, mention: Mention, shown: str) -> list[str]:
    try:
        lines = safe_block(read_text(base, mention.path)).split("\n")
    except FileProblem:
        return []
    here = mention.lines[0][0]
    start, end = max(1, here - _AROUND), min(len(lines), here + _AROUND)
    body = [line[:300] for line in lines[start - 1 : end]]
    longest = max((len(run) for line in body for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return ["", f"## `{_inline(shown)}`, lines {start} to {end}", "", fence, *body, fence]


def _from_root(root: Path, base: Path, path: str) -> str:
    return Path(os.path.relpath(base / path, root)).as_posix()


def _inline(text: str) -> str:
    return safe_line(text, 300).replace("`", "'")


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", safe_line(text))


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
