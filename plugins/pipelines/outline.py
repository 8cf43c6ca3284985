"""What a document consists of: headings, links, images, code blocks, task boxes, front matter keys.

Markdown is parsed as CommonMark with tables. Of reStructuredText only what a line shows without running its directives
is read; a plain text gives underlined headings and bare addresses, which is all that can honestly be said of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

Format = Literal["markdown", "rst", "text"]

_TASK: Final = re.compile(r"\[([ xX])\]\s")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX: Final = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_FRONT_KEY: Final = re.compile(r"""["']?([A-Za-z_][\w .-]*?)["']?\s*[:=](?:\s|$)""")
_ADORNMENT: Final = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*$")
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"'`\])]+[^\s<>\"'`\]).,;:!?]")
_RST_LINK: Final = re.compile(r"`([^`<]*)<([^`>\s]+)>`__?")
_RST_DOC: Final = re.compile(r":doc:`(?:([^`<]*)<([^`>]+)>|([^`<>]+))`")
_RST_IMAGE: Final = re.compile(r"\s*\.\. (?:image|figure):: *(\S+)")
_RST_CODE: Final = re.compile(r"(\s*)\.\. (?:code-block|code|sourcecode)::[ \t]*(\S*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """One heading."""

    level: int
    """1 for the outermost."""
    text: str
    line: int
    """1-based, here and below."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One link, as it is written: target not resolved, still percent-encoded."""

    target: str
    text: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeBlock:
    """One block of code."""

    language: str
    """First word after the fence; empty when none is given."""
    line: int
    lines: int


@dataclass(kw_only=True, slots=True)
class Outline:
    """What one document consists of, each list in the order of the text."""

    headings: list[Heading] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    images: list[Link] = field(default_factory=list)
    code_blocks: list[CodeBlock] = field(default_factory=list)
    tasks_open: int = 0
    tasks_done: int = 0
    front_matter: tuple[str, ...] = ()


def format_of(path: str) -> Format:
    """Return the format that the file's name says."""
    name = path.lower()
    if name.endswith((".md", ".markdown", ".mdx", ".mdown")):
        return "markdown"
    return "rst" if name.endswith((".rst", ".rest")) else "text"


def outline_of(text: str, form: Format) -> Outline:
    """Return the outline of a document."""
    if form == "markdown":
        return _markdown(text)
    return _rst(text) if form == "rst" else _plain(text)


def front_matter(lines: Sequence[str]) -> tuple[int, dict[str, str]]:
    """Return how many lines the front matter takes (0: none), and its top-level keys with what stands behind them."""
    fence = lines[0].rstrip() if lines else ""
    if fence not in ("---", "+++"):
        return 0, {}
    values: dict[str, str] = {}
    for number, line in enumerate(lines[1:200], start=1):
        if line.rstrip() == fence or (fence == "---" and line.rstrip() == "..."):
            return (number + 1, values) if values or number == 1 else (0, {})
        if found := _FRONT_KEY.match(line):
            values[found[1]] = line[found.end() :].strip().strip("\"'")
    return 0, {}


def title_of(text: str, form: Format) -> str:
    """Return the title that the document gives itself: front matter, else its first heading; empty when there is none.

    Reads lines only and stops at the title, so that it costs little in a document that is never parsed.
    """
    lines = text.splitlines()
    if form != "markdown":
        return next((heading.text for heading in _underlined(lines)), "")
    start, values = front_matter(lines)
    if values.get("title"):
        return values["title"]
    fence = ""
    for number, line in enumerate(lines[start:], start=start):
        if mark := _FENCE.match(line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        elif fence:
            continue
        elif heading := _ATX.match(line):
            return _plain_inline(heading[2])
        elif (
            line.strip()
            and not line.startswith(("    ", "\t", "-", "*", ">", "|", "<"))
            and number + 1 < len(lines)
            and re.fullmatch(r" {0,3}(?:=+|-{2,})\s*", lines[number + 1])
        ):
            return _plain_inline(line)
    return ""


def _plain_inline(text: str) -> str:
    text = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r"<[^>]+>|\s\{#[^}]*\}\s*$", "", text)
    return re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", text).strip()


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def _markdown(text: str) -> Outline:
    lines = text.splitlines()
    taken, values = front_matter(lines)
    found = Outline(front_matter=tuple(values))
    # The front matter is blanked instead of cut, so that line numbers stay true.
    body = "\n" * taken + "\n".join(lines[taken:]) if taken else text
    level = 0
    in_item = False
    for token in _parser().parse(body):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "heading_open":
            level = int(token.tag[1])
        elif token.type == "heading_close":
            level = 0
        elif token.type == "list_item_open":
            in_item = True
        elif token.type == "inline":
            if level:
                found.headings.append(Heading(level=level, text=_text_of(token.children or []), line=line))
            if in_item and (box := _TASK.match(token.content)):
                found.tasks_open += box[1] == " "
                found.tasks_done += box[1] != " "
            in_item = False
            _inline(token.children or [], line, found)
        elif token.type in ("fence", "code_block") and token.map:
            language = token.info.split()[0] if token.info.strip() else ""
            count = token.content.count("\n")
            found.code_blocks.append(CodeBlock(language=language, line=line, lines=count))
    return found


def _inline(children: list[Token], line: int, found: Outline) -> None:
    for number, child in enumerate(children):
        if child.type in ("softbreak", "hardbreak"):
            line += 1
        elif child.type == "link_open":
            end = next((n for n in range(number, len(children)) if children[n].type == "link_close"), len(children))
            text = _text_of(children[number + 1 : end])
            found.links.append(Link(target=str(child.attrs.get("href", "")), text=text, line=line))
        elif child.type == "image":
            found.images.append(Link(target=str(child.attrs.get("src", "")), text=child.content, line=line))


def _text_of(children: list[Token]) -> str:
    parts = [
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in children
        if child.type in ("text", "code_inline", "image", "softbreak", "hardbreak", "text_special")
    ]
    return "".join(parts).strip()


def _underlined(lines: Sequence[str]) -> Iterator[Heading]:
    """Headings with a line of signs below, and maybe above; each new kind of line is one level deeper."""
    levels: dict[tuple[str, bool], int] = {}
    for number in range(1, len(lines)):
        mark = _ADORNMENT.match(lines[number])
        above = lines[number - 1]
        text = above.strip()
        if not mark or not text or _ADORNMENT.match(above) or len(lines[number].rstrip()) < len(above.rstrip()):
            continue
        over = number > 1 and lines[number - 2].rstrip() == lines[number].rstrip()
        before = lines[number - 2].strip() if number > 1 else ""
        if not over and (above[0].isspace() or before):
            continue
        level = levels.setdefault((mark[1], over), len(levels) + 1)
        yield Heading(level=level, text=text, line=number)


def _rst(text: str) -> Outline:
    lines = text.splitlines()
    found = Outline(headings=list(_underlined(lines)))
    for number, line in enumerate(lines, start=1):
        for link in _RST_LINK.finditer(line):
            found.links.append(Link(target=link[2], text=link[1].strip(), line=number))
        for link in _RST_DOC.finditer(line):
            target = (link[2] or link[3]).strip()
            found.links.append(Link(target=f"{target}.rst", text=(link[1] or "").strip(), line=number))
        if image := _RST_IMAGE.match(line):
            found.images.append(Link(target=image[1], text="", line=number))
        if code := _RST_CODE.match(line):
            found.code_blocks.append(CodeBlock(language=code[2], line=number, lines=_indented(lines, number, code[1])))
    return found


def _indented(lines: Sequence[str], start: int, indent: str) -> int:
    """Count the lines of the block from index `start` on that are indented deeper than its directive."""
    last = start
    for number in range(start, len(lines)):
        line = lines[number]
        if line.strip():
            if len(line) - len(line.lstrip()) <= len(indent):
                break
            last = number + 1
    return sum(1 for line in lines[start:last] if line.strip() and not line.lstrip().startswith(":"))


def _plain(text: str) -> Outline:
    lines = text.splitlines()
    return Outline(
        headings=list(_underlined(lines)),
        links=[
            Link(target=address[0], text="", line=number)
            for number, line in enumerate(lines, start=1)
            for address in _ADDRESS.finditer(line)
        ],
    )
