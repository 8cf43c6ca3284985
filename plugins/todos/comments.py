"""TODO and FIXME comments in code, as items: Python by its own tokens, other languages by the signs of their comments.

Strings that only look like comments are told apart in Python; elsewhere a comment sign inside quotes on the same line
is passed over. A comment that goes on in the next lines belongs to the TODO.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from engine.contracts.item import Priority
from engine.kit.files import SKIPPED_FOLDERS, list_files
from engine.kit.safe_text import safe_line
from plugins.todos.items import TodoItem

_C: Final = ("//", "/*", "*")
_HASH: Final = ("#",)
_SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("c", "h", "cc", "cpp", "hpp", "cs", "go", "java", "js", "jsx", "ts", "tsx", "mjs", "rs", "swift", "kt",
         "scala", "dart", "php", "proto", "scss", "zig"),
        _C,
    ),
    **dict.fromkeys(
        ("sh", "bash", "zsh", "rb", "pl", "r", "yaml", "yml", "toml", "mk", "cmake", "tf", "nix", "ex", "exs", "jl",
         "ps1"),
        _HASH,
    ),
    **dict.fromkeys(("sql", "lua", "hs", "elm", "ada"), ("--",)),
    **dict.fromkeys(("lisp", "el", "clj", "scm"), (";",)),
    "css": ("/*", "*"),
}  # fmt: skip
_NAMES: Final = {"Makefile": _HASH, "Dockerfile": _HASH, "Justfile": _HASH, "justfile": _HASH}
_TAG: Final = re.compile(
    r"^[\s*]*(?P<tag>TODO|FIXME|HACK|XXX)\b(?:\((?P<who>[^)\n]{0,60})\))?(?:[:\s\-–—]+(?P<text>.*)|$)", re.S
)
_TRAIL: Final = re.compile(r"\s*(?:\*/|-->)\s*$")
_TAGS: Final = ("TODO", "FIXME", "HACK", "XXX")
_IN_BLOCK: Final = -1
"""Column of the further lines of a block of comments."""
_LINE_MAX: Final = 1_000
_MORE: Final = 6
"""Lines that a comment may go on for."""
_PRIORITY: Final[Mapping[str, Priority]] = {"FIXME": 1}


def is_code(path: str) -> bool:
    """Whether a file's name says that it holds code with comments this module knows."""
    *folders, name = path.split("/")
    suffix = PurePosixPath(name).suffix.lstrip(".").lower()
    return (suffix == "py" or suffix in _SIGNS or name in _NAMES) and SKIPPED_FOLDERS.isdisjoint(folders)


def code_files(folder: Path) -> list[str]:
    """Return the code below a folder that git knows or does not ignore; symbolic links are left out."""
    return [path for path in list_files(folder).files if is_code(path) and not (folder / path).is_symlink()]


def comments_of(text: str, file: str, name: str) -> list[TodoItem]:
    """Return the TODOs in the comments of one file's text; `file` is its path, `name` the path that the items carry."""
    if not any(tag in text for tag in _TAGS):
        return []
    base = PurePosixPath(file).name
    suffix = PurePosixPath(base).suffix.lstrip(".").lower()
    found = _python(text) if suffix == "py" else _by_signs(text, _SIGNS.get(suffix) or _NAMES.get(base, _HASH))
    return list(_items(list(found), safe_line(name)))


def _python(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and words of each comment."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.start[1], token.string.lstrip("#")
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return  # what came before the trouble counts


def _by_signs(text: str, signs: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    in_block = False
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw[:_LINE_MAX]
        stripped = line.lstrip()
        if in_block or (signs[0] != "*" and "*" in signs and stripped.startswith("*")):
            yield number, _IN_BLOCK, _TRAIL.sub("", stripped).lstrip("*")
            in_block = in_block and "*/" not in stripped
            continue
        for sign in signs:
            at = _begin(line, sign)
            if at < 0:
                continue
            yield number, at, _TRAIL.sub("", line[at + len(sign) :]).lstrip("/#-;!")
            in_block = sign == "/*" and "*/" not in line[at:]
            break


def _begin(line: str, sign: str) -> int:
    """Where a comment with this sign begins in a line; -1: nowhere."""
    at = line.find(sign) if sign != "*" else -1
    while at >= 0 and (_is_quoted(line, at) or (sign == "//" and at and line[at - 1] == ":")):
        at = line.find(sign, at + len(sign))
    return at


def _is_quoted(line: str, at: int) -> bool:
    """Whether an odd number of quotes stands before a place."""
    before = line[:at].replace("\\\\", "").replace('\\"', "").replace("\\'", "")
    return any(before.count(quote) % 2 for quote in "\"'`")


def _items(comments: list[tuple[int, int, str]], file: str) -> Iterator[TodoItem]:
    for index, (line, column, words) in enumerate(comments):
        found = _TAG.match(words)
        if found is None:
            continue
        told = [found["text"] or ""]
        end = line
        for after, at, more in comments[index + 1 : index + 1 + _MORE]:
            if after != end + 1 or at not in (column, _IN_BLOCK) or _TAG.match(more) or not more.strip():
                break
            told.append(more)
            end = after
        text = safe_line(_TRAIL.sub("", " ".join(" ".join(told).split())), 500)
        tag, who = found["tag"], safe_line(found["who"] or "", 60)
        yield TodoItem(
            file=file, line=line, end_line=end, text=text or f"{tag} without words", state="open", kind="comment",
            parent_line=None, headings=(), priority=_PRIORITY.get(tag), confidence="high" if text else "low", parent="",
            raw=safe_line(f"{tag}: {text}", 600), tags=(f"#{tag.lower()}", *((f"@{who.lstrip('@')}",) if who else ())),
        )  # fmt: skip
