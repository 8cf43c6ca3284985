"""Markdown as an outline: headings, list items with their nesting, and paragraphs, each with its lines.

The CommonMark parser decides what is a list item; lines are never split by patterns, so code blocks, continuation
lines, quotes and HTML comments are what a renderer shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\n(?:[^\n]*\n){0,200}?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")

LONGEST: Final = 2_000
"""Characters of one item or heading that are looked at; nobody writes a longer one by hand."""

# `reference` would swallow "- [x]: text" as a link definition; inline parsing is not needed, only the source text is.
_PARSER: Final = MarkdownIt("commonmark", {"maxNesting": 160}).disable(["reference", "inline", "text_join"])


@dataclass(eq=False, slots=True)
class Heading:
    """A section's heading."""

    level: int
    text: str
    line: int
    """1-based."""
    parent: Heading | None
    """The heading of the section around it."""
    end_line: int = 0
    """Last line of its section."""

    def path(self) -> tuple[Heading, ...]:
        """Return the headings from the outermost to this one."""
        return (*(self.parent.path() if self.parent else ()), self)


@dataclass(eq=False, slots=True)
class Bullet:
    """A list item."""

    line: int
    """1-based."""
    end_line: int
    text: str
    """Source of its first paragraph, its lines joined by line breaks; empty when it starts with something else."""
    ordered: bool
    section: Heading | None
    parent: Bullet | None
    list_id: int
    """The same for all items of one list."""
    lead: str
    """The paragraph right before its list, in the same block; empty if none."""
    quoted: bool
    """Inside a block quote."""
    children: list[Bullet] = field(default_factory=list)
    notes: int = 0
    """Further blocks of its own: paragraphs, code, quotes."""

    def ancestors(self) -> Iterator[Bullet]:
        """Yield the list items around it, innermost first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent


@dataclass(eq=False, slots=True)
class Paragraph:
    """Text outside every list."""

    line: int
    end_line: int
    text: str
    section: Heading | None
    quoted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """A document in reading order."""

    headings: tuple[Heading, ...]
    bullets: tuple[Bullet, ...]
    paragraphs: tuple[Paragraph, ...]


def read_outline(text: str) -> Outline:
    """Parse Markdown; any text is valid."""
    text = text.replace("\r\n", "\n")
    text = _FRONT_MATTER.sub(lambda match: "\n" * match[0].count("\n"), text, count=1)
    return _Reader(_PARSER.parse(text), text.split("\n")).read()


class _Reader:
    """One pass over the parser's flat tokens."""

    def __init__(self, tokens: Sequence[Token], source: Sequence[str]) -> None:
        self._tokens = tokens
        self._source = source
        self._headings: list[Heading] = []
        self._bullets: list[Bullet] = []
        self._paragraphs: list[Paragraph] = []
        self._open: list[Bullet] = []
        self._lists: list[tuple[int, bool, str]] = []
        self._quotes = 0
        self._list_ids = count()
        self._before: list[str] = [""]
        """For each open block, the paragraph that ended just before the place where the pass is."""

    def read(self) -> Outline:
        for place, token in enumerate(self._tokens):
            self._take(token, self._tokens[place + 1] if place + 1 < len(self._tokens) else token)
        still_open = self._section()
        while still_open is not None:
            still_open.end_line = len(self._source)
            still_open = still_open.parent
        return Outline(
            headings=tuple(self._headings),
            bullets=tuple(self._bullets),
            paragraphs=tuple(self._paragraphs),
        )

    def _take(self, token: Token, following: Token) -> None:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self._lists.append((next(self._list_ids), token.type[0] == "o", self._before[-1]))
                self._before[-1] = ""
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._open_bullet(token)
            case "list_item_close":
                self._open.pop()
                self._before.pop()
            case "blockquote_open":
                self._quotes += 1
                self._before.append("")
            case "blockquote_close":
                self._quotes -= 1
                self._before.pop()
                self._before[-1] = ""
            case "heading_open":
                self._heading(token, following.content)
            case "paragraph_open":
                self._paragraph(token, following.content)
            case "fence" | "code_block" | "html_block" | "hr":
                self._before[-1] = ""
                if self._open:
                    self._open[-1].notes += 1

    def _section(self) -> Heading | None:
        return self._headings[-1] if self._headings else None

    def _open_bullet(self, token: Token) -> None:
        list_id, ordered, lead = self._lists[-1]
        first, end = self._lines(token)
        parent = self._open[-1] if self._open else None
        bullet = Bullet(
            line=first,
            end_line=end,
            text="",
            ordered=ordered,
            section=self._section(),
            parent=parent,
            list_id=list_id,
            lead=lead,
            quoted=self._quotes > 0,
        )
        if parent is not None:
            parent.children.append(bullet)
        self._bullets.append(bullet)
        self._open.append(bullet)
        self._before.append("")

    def _heading(self, token: Token, text: str) -> None:
        self._before[-1] = ""
        text = text[:LONGEST]
        if self._open:
            self._own_text(text)
            return
        level = int(token.tag[1])
        parent = self._section()
        first = self._lines(token)[0]
        while parent is not None and parent.level >= level:
            parent.end_line = first - 1
            parent = parent.parent
        self._headings.append(Heading(level, text, first, parent))

    def _paragraph(self, token: Token, text: str) -> None:
        self._before[-1] = text[-LONGEST:]
        if self._open:
            self._own_text(text)
            return
        first, end = self._lines(token)
        self._paragraphs.append(Paragraph(first, end, text, self._section(), self._quotes > 0))

    def _own_text(self, text: str) -> None:
        bullet = self._open[-1]
        if bullet.text or bullet.notes or bullet.children:
            bullet.notes += 1
        else:
            bullet.text = text[:LONGEST]

    def _lines(self, token: Token) -> tuple[int, int]:
        """Return the first and last line, 1-based, without the empty lines at the end."""
        start, end = token.map or (0, 1)
        while end > start + 1 and not self._source[min(end, len(self._source)) - 1].strip():
            end -= 1
        return start + 1, end
