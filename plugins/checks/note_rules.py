"""What can be wrong with notes. Pure."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

from rapidfuzz import fuzz, process

from engine.kit.safe_text import safe_line
from plugins.checks.finding import Finding, around
from plugins.todos.alike import normalise

_FRONT: Final = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.S)
_FIELD: Final = re.compile(r"^([A-Za-z_-]{1,40}):[ \t]*(.*)$", re.M)
_LINK: Final = re.compile(r"(?<!!)\[([^\]\n]{2,200})\]\(<?([^)\s>]{1,500})>?(?:\s+\"[^\"]*\")?\)")
_TITLE: Final = re.compile(r"^#\s+(.+)$", re.M)
_POINT: Final = re.compile(r"^\s{0,3}(?:[-*+]|\d+[.)])\s+(.{20,400})$", re.M)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_OLD: Final = frozenset({"superseded", "deprecated", "obsolete", "rejected"})
_GENERIC: Final = frozenset(
    {"here", "link", "this", "docs", "source", "see", "more", "details", "example", "issue", "pr"}
)
_DAY_MS: Final = 86_400_000
_POINTS_MAX: Final = 1_500
"""Principles that are compared with each other."""
_SHORTEST: Final = 30
"""Characters of a normalised text that can be said twice by mistake; shorter ones are said twice on purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One note as it stands."""

    path: str
    lines: list[str]
    title: str
    fields: Mapping[str, str]
    """Its front matter."""
    body: str
    links: tuple[tuple[int, str, str], ...]
    """Line, text and target: a path in the repository or a URL."""
    points: tuple[tuple[int, str], ...]
    """Line and text of its list items."""

    @property
    def is_old(self) -> bool:
        """Whether it says of itself that it does not hold any more."""
        return self.fields.get("status", "").strip("\"' ").lower() in _OLD


def read_note(path: str, text: str) -> Note:
    """Read one note."""
    text = text.replace("\r\n", "\n")
    front = _FRONT.match(text)
    body = text[front.end() :] if front else text
    above = text[: front.end()].count("\n") if front else 0
    title = _TITLE.search(body)
    return Note(
        path=path,
        lines=text.split("\n"),
        title=safe_line(title[1], 200) if title else posixpath.splitext(posixpath.basename(path))[0],
        fields={name.lower(): value.strip() for name, value in _FIELD.findall(front[1])} if front else {},
        body=body,
        links=tuple(
            (above + body.count("\n", 0, one.start()) + 1, one[1].strip(), _target(path, one[2]))
            for one in _LINK.finditer(body)
        ),
        points=tuple((above + body.count("\n", 0, one.start(1)) + 1, one[1].strip()) for one in _POINT.finditer(body)),
    )


def _target(path: str, link: str) -> str:
    if "://" in link or link.startswith(("mailto:", "#")):
        return link
    name = unquote(link.split("#", 1)[0])
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def stale(notes: Sequence[Note], changed: Mapping[str, int], *, days: int, now: int) -> Iterator[Finding]:
    """Notes that nobody has looked at for `days`; `changed`: path to ms UTC of its last commit."""
    for note in notes:
        reviewed = _DATE.search(note.fields.get("reviewed", "") or note.fields.get("updated", ""))
        at = changed.get(note.path)
        try:
            said = datetime.fromisoformat(reviewed[0]).replace(tzinfo=UTC) if reviewed else None
        except ValueError:
            said = None
        looked = max((one for one in (at, round(said.timestamp() * 1000) if said else None) if one), default=None)
        if looked is not None and not note.is_old and now - looked >= days * _DAY_MS:
            age = (now - looked) // _DAY_MS
            yield _of(note, 1, "stale", "stale", f"was last looked at {age:,} days ago: still true?", "medium")


def duplicates(notes: Sequence[Note], *, alike: float) -> Iterator[Finding]:
    """Principles, or whole notes, that say what another one says."""
    points = [(note, line, normalise(text)) for note in notes if not note.is_old for line, text in note.points]
    points = [point for point in points if len(point[2]) >= _SHORTEST][:_POINTS_MAX]
    for index, other, score in _alike([text for *_, text in points], alike):
        (first, first_line, _), (second, line, text) = points[index], points[other]
        where = f"{first.path}:{first_line}" if first is not second else f"line {first_line}"
        yield _of(second, line, "duplicate", text, f"says what {where} says ({score:.0f} % alike)", "high")
    titles = [normalise(note.title) for note in notes]
    bodies = [" ".join(note.body.split()) for note in notes]
    for index, note in enumerate(notes):
        for before in range(index):
            if bodies[index] and bodies[index] == bodies[before]:
                yield _of(note, 1, "duplicate", "whole", f"is the same as {notes[before].path}", "high")
                break
            if (
                len(titles[index]) >= 8
                and titles[index] == titles[before]
                and not (note.is_old or notes[before].is_old)
            ):
                yield _of(note, 1, "duplicate", "title", f"has the title of {notes[before].path}", "medium")
                break


def _alike(texts: Sequence[str], least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs of texts that are alike, each later one once."""
    for at in range(1, len(texts)):
        best = process.extractOne(texts[at], texts[:at], scorer=fuzz.token_sort_ratio, score_cutoff=least)
        if best is not None:
            yield best[2], at, best[1]


def contradictions(notes: Sequence[Note]) -> Iterator[Finding]:
    """Links that cannot both be meant."""
    by_path = {note.path: note for note in notes}
    supersedes = {note.path: _superseded(note) for note in notes}
    for note in notes:
        for other in sorted(supersedes[note.path]):
            if note.path in supersedes.get(other, ()) and note.path > other:
                yield _of(note, 1, "contradiction", other, f"supersedes {other}, which supersedes it", "high")
        if note.is_old:
            continue
        for line, text, target in note.links:
            old = by_path.get(target)
            if old is not None and old.is_old and target not in supersedes[note.path]:
                said = f"rests on {target}, which is {old.fields['status']}"
                yield _of(note, line, "contradiction", f"{text} {target}", said, "medium")
    places: dict[str, dict[str, tuple[Note, int]]] = defaultdict(dict)
    for note in notes:
        for line, text, target in note.links:
            words = normalise(text)
            named = normalise(posixpath.splitext(posixpath.basename(target))[0])
            if len(words) > 3 and words not in _GENERIC and not target.startswith("#") and words != named:
                places[words].setdefault(target, (note, line))
    for words, targets in sorted(places.items()):
        if len(targets) > 1:
            (first, _), (second, (note, line)) = list(targets.items())[:2]
            said = f"leads `{safe_line(words, 60)}` to {second}, and {targets[first][0].path} to {first}"
            yield _of(note, line, "contradiction", f"{words} {second}", said, "medium")


def _superseded(note: Note) -> set[str]:
    told = note.fields.get("supersedes", "").strip("[]\"' ")
    return {_target(note.path, one.strip("\"' ")) for one in told.split(",") if one.strip()}


def _of(note: Note, line: int, rule: str, evidence: str, sentence: str, sure: str) -> Finding:
    first, shown = around(note.lines, line)
    return Finding(
        rule=rule, type="note", path=note.path, line=line, evidence=evidence, sentence=sentence, first_line=first,
        lines=shown, confidence=sure,  # type: ignore[arg-type]
    )  # fmt: skip
