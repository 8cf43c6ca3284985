"""One Markdown file as the rules of doc-health see it: links, headings, anchors, code, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from plugins.checks.slugs import Slugs, folded

_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG: Final = re.compile(r"<(a|img|source|video|audio)\s([^<>]*)>", re.IGNORECASE | re.DOTALL)
_TARGET: Final = re.compile(r"""\b(href|srcset|src|poster)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_ID: Final = re.compile(r"""<[A-Za-z][^<>]*?\s(?:id|name)\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE | re.DOTALL)
_HTML_HEADING: Final = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1\s*>", re.IGNORECASE | re.DOTALL)
_CUSTOM_ID: Final = re.compile(r"\{\s*:?\s*#([\w.:-]+)[^}]*\}")
_CROSS_REFERENCE: Final = re.compile(r"\[([^\[\]]*)\]\[[^\[\]]*\]")
_MYST_LABEL: Final = re.compile(r"^\(([\w.: -]+)\)=\s*$", re.MULTILINE)
# What puts text, and so headings, into the rendered page that the file does not hold.
_INCLUDES: Final = re.compile(
    r"^\s*(?:--8<--|:::|```\{(?:include|toctree|automodule|eval-rst)|\{%|\{\{|<!--\s*#include|import\s.+\sfrom\s|@import|!!!?include)"
    r"|\{%-?\s*(?:include|render|for)|\{\{[#<%]|<[A-Z]\w+[^<>]*/>",
    re.MULTILINE,
)
_GENERATED_PART: Final = re.compile(r"<!--\s*ALL-CONTRIBUTORS-LIST:START.*?ALL-CONTRIBUTORS-LIST:END", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A link or an image, with its target as it is written."""

    kind: Literal["link", "image"]
    target: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Text in backticks."""

    text: str
    line: int
    around: str
    """The lines of the paragraph or table row that it stands in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block of code."""

    language: str
    text: str
    line: int
    """Line of its first line of code."""


@dataclass(kw_only=True, slots=True)
class Document:
    """One Markdown file."""

    path: str
    lines: list[str]
    references: list[Reference] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    """(line, inline source) of each paragraph, heading and cell."""
    headings: list[tuple[int, int, str]] = field(default_factory=list)
    """(line, level, text)."""
    anchors: set[str] = field(default_factory=set)
    """What `#…` can name, folded by `slugs.folded`."""
    ids: set[str] = field(default_factory=set)
    """Ids and names of HTML elements, in lower case: no renderer writes them in another way."""
    defined: set[str] = field(default_factory=set)
    """Labels of reference definitions, as CommonMark compares them."""
    includes: bool = False
    """Whether the rendered page holds text that this file does not, so that its anchors are not all known."""

    def headings_at(self, line: int) -> tuple[str, ...]:
        """Return the headings above a line, outermost first."""
        path: list[tuple[int, str]] = []
        for at, level, text in self.headings:
            if at > line:
                break
            while path and path[-1][0] >= level:
                path.pop()
            path.append((level, text))
        return tuple(text for _, text in path)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    # Targets are compared with file names: they must stay as they are written.
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


def parse(path: str, text: str) -> Document:
    """Parse one file."""
    text = _GENERATED_PART.sub(_blank, text)
    document = Document(path=path, lines=text.splitlines(), includes=bool(_INCLUDES.search(text)))
    body = _without_front_matter(text)
    environment: dict[str, dict[str, object]] = {}
    slugs = Slugs()
    start, end, level = 1, 1, 0
    for token in _parser().parse(body, environment):
        if token.map:
            start, end = token.map[0] + 1, token.map[1]
        if token.type == "heading_open":
            level = int(token.tag[1])
        elif token.type == "inline":
            children = token.children or []
            document.texts.append((start, token.content))
            if level:
                _heading(document, slugs, start, level, token)
                level = 0
            _read_inline(document, children, start, end)
        elif token.type == "fence":
            language = token.info.split()[0].strip("{}.").lower() if token.info.strip() else ""
            document.blocks.append(Block(language=language, text=token.content, line=start + 1))
        elif token.type == "html_block":
            html = _COMMENT.sub(_blank, token.content)
            for found in _HTML_HEADING.finditer(html):
                words = re.sub(r"<[^>]+>", "", found[2]).strip()
                line = start + html.count("\n", 0, found.start())
                document.headings.append((line, int(found[1]), words))
                document.anchors.add(folded(slugs.add(words)))
            document.references.extend(_html_references(html, start))
    visible = _COMMENT.sub(_blank, text)
    document.ids.update(found[1].lower() for found in _ID.finditer(visible))
    document.anchors.update(folded(found[1]) for found in _CUSTOM_ID.finditer(visible))
    document.anchors.update(folded(found[1]) for found in _MYST_LABEL.finditer(visible))
    document.defined = set(environment.get("references", {}))
    document.headings.sort()
    return document


def _without_front_matter(text: str) -> str:
    if not text.startswith("---"):
        return text
    found = re.match(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", text[:20_000])
    return _blank(found) + text[found.end() :] if found else text


def _blank(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _heading(document: Document, slugs: Slugs, line: int, level: int, token: Token) -> None:
    # A link by a label that is defined elsewhere (a site's cross references) shows only its text.
    shown = _CROSS_REFERENCE.sub(r"\1", _CUSTOM_ID.sub("", _shown(token.children or []))).strip()
    document.headings.append((line, level, shown))
    document.anchors.add(folded(slugs.add(shown)))


def _shown(children: list[Token]) -> str:
    parts: list[str] = []
    for child in children:
        if child.type in ("text", "code_inline", "text_special", "image"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
    return "".join(parts)


def _read_inline(document: Document, children: list[Token], start: int, end: int) -> None:
    line = start
    around = "\n".join(document.lines[start - 1 : end])
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            line += 1
        elif child.type == "link_open":
            target = str(child.attrs.get("href", ""))
            at = _line_of(document, target, line, end)
            document.references.append(Reference(kind="link", target=target, line=at))
        elif child.type == "image":
            target = str(child.attrs.get("src", ""))
            at = _line_of(document, target, line, end)
            document.references.append(Reference(kind="image", target=target, line=at))
        elif child.type == "code_inline":
            at = _line_of(document, child.content, line, end)
            document.spans.append(Span(text=child.content.strip(), line=at, around=around))
        elif child.type == "html_inline":
            document.references.extend(_html_references(_COMMENT.sub(_blank, child.content), line))
            line += child.content.count("\n")


def _line_of(document: Document, needle: str, start: int, end: int) -> int:
    """Return the first line from `start` to `end` that holds the needle; `start` when none does (a wrapped span)."""
    for number in range(start, min(end, len(document.lines)) + 1):
        if needle in document.lines[number - 1]:
            return number
    return start


def _html_references(html: str, line: int) -> Iterator[Reference]:
    for tag in _TAG.finditer(html):
        kind: Literal["link", "image"] = "link" if tag[1].lower() == "a" else "image"
        for found in _TARGET.finditer(tag[2]):
            if (found[1].lower() == "href") == (kind == "link"):
                at = line + html.count("\n", 0, tag.start())
                told = found[2] if found[2] is not None else found[3]
                for target in _of_set(told) if found[1].lower() == "srcset" else [told]:
                    yield Reference(kind=kind, target=target, line=at)


def _of_set(told: str) -> list[str]:
    """The images of a `srcset`, without the widths and densities that they are for."""
    return [words[0] for entry in told.split(", ") if (words := entry.strip(" ,").split())]
