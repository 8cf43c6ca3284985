"""TODO and FIXME comments in code, as items: Python by its own tokens, other languages by the signs of their comments.

Strings that only look like comments are told apart in Python; elsewhere a comment sign inside quotes on the same line
is passed over. A comment that goes on in the next lines belongs to the TODO.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from engine.contracts.item import Priority
from engine.kit.files import SKIPPED_FOLDERS, list_files
from engine.kit.safe_text import safe_line
from plugins.todos.items import TodoItem
from plugins.todos.languages import Language, language_of

_NAME: Final = r"(?:[@\\](?P<told>(?i:TODO|FIXME|HACK|XXX))|(?P<tag>TODO|FIXME|HACK|XXX))\b"
_WHO: Final = r"(?:\((?P<who>[^)\n]{0,60})\))?"
_TAG: Final = re.compile(
    rf"^[\s*/#;!%-]*{_NAME}{_WHO}(?:\s*:+|\s*[-–—]+(?=\s)|[.!?,]+(?=\s|$)|(?=\s)|$)(?P<text>.*)", re.S
)
"""A comment that begins with one; `@todo` and `\\todo` are tags of documentation, `todo` alone is prose."""
_LATER: Final = re.compile(rf"(?:[.!?;,(]\s*|\s(?=[@\\])){_NAME}{_WHO}\s*:(?!:)(?P<text>.*)", re.S)
"""One in a later sentence, which has its colon."""
_ANY: Final = re.compile(r"TODO|FIXME|HACK|XXX|[@\\](?i:todo|fixme|hack|xxx)\b")
_TRAIL: Final = re.compile(r"\s*(?:\*/|-->)\s*$")
_IN_BLOCK: Final = -1
"""Column of the further lines of a block of comments."""
_LINE_MAX: Final = 1_000
_MORE: Final = 6
"""Lines that a comment may go on for."""
_PRIORITY: Final[Mapping[str, Priority]] = {"FIXME": 1}


def is_code(path: str) -> bool:
    """Whether a file's name says that it holds code with comments this module knows."""
    *folders, _ = path.split("/")
    return language_of(path) is not None and SKIPPED_FOLDERS.isdisjoint(folders)


def code_files(folder: Path) -> list[str]:
    """Return the code below a folder that git knows or does not ignore; symbolic links are left out."""
    return [path for path in list_files(folder).files if is_code(path) and not (folder / path).is_symlink()]


def comments_of(text: str, file: str, name: str) -> list[TodoItem]:
    """Return the TODOs in the comments of one file's text; `file` is its path, `name` the path that the items carry."""
    language = language_of(file)
    if language is None or not _ANY.search(text):
        return []
    found = _python(text, language) if language.is_python else _by_signs(text, language)
    return list(_items(list(found), safe_line(name)))


def _python(text: str, language: Language) -> Iterator[tuple[int, int, str]]:
    """Line, column and words of each comment; what comes after something that is no Python is read by its signs."""
    last = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            last = token.end[0]
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.start[1], token.string.lstrip("#")
    except (tokenize.TokenError, SyntaxError):
        for line, column, words in _by_signs(text, language):
            if line > last:
                yield line, column, words


def _by_signs(text: str, language: Language) -> Iterator[tuple[int, int, str]]:
    end: str | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        line, at, column = raw[:_LINE_MAX].rstrip("\r"), 0, _IN_BLOCK
        while at <= len(line):
            if end is None:
                sign = _begin(line, at, language)
                if sign is None:
                    break
                column, at, end = sign.start("sign"), sign.end(), language.end_of(sign["sign"])
                if end is None:
                    yield number, column, line[at:]
                    break
            close = line.find(end, at)
            yield number, column, line[at:] if close < 0 else line[at:close]
            if close < 0:
                break
            at, end = close + len(end), None


def _begin(line: str, at: int, language: Language) -> re.Match[str] | None:
    """Where a comment begins in a line, from a place on."""
    return next((found for found in language.pattern.finditer(line, at) if found["sign"]), None)


def _tagged(words: str) -> re.Match[str] | None:
    return _TAG.match(words) or _LATER.search(words)


def _items(comments: list[tuple[int, int, str]], file: str) -> Iterator[TodoItem]:
    for index, (line, column, words) in enumerate(comments):
        found = _tagged(words)
        if found is None:
            continue
        told = [found["text"]]
        end = line
        for after, at, more in comments[index + 1 : index + 1 + _MORE]:
            if after != end + 1 or at not in (column, _IN_BLOCK) or _tagged(more) or not more.strip(" \t*/#;!%-"):
                break
            told.append(more.strip().lstrip("*/#;!%"))
            end = after
        text = safe_line(_closed(_TRAIL.sub("", " ".join(" ".join(told).split())).lstrip(": ")), 500)
        tag, who = (found["told"] or found["tag"]).upper(), safe_line(found["who"] or "", 60)
        yield TodoItem(
            file=file, line=line, end_line=end, text=text or f"{tag} without words", state="open", kind="comment",
            parent_line=None, headings=(), priority=_PRIORITY.get(tag), confidence="high" if text else "low", parent="",
            raw=safe_line(f"{tag}: {text}", 600), tags=(f"#{tag.lower()}", *((f"@{who.lstrip('@')}",) if who else ())),
        )  # fmt: skip


def _closed(text: str) -> str:
    """Without the end of a bracket that began before the tag."""
    return text[:-1] if text.endswith(")") and text.count(")") > text.count("(") else text
