"""Which files mention what a text is about: its identifiers and rare words, ranked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.kit.files import FileProblem, list_files, read_text
from engine.kit.git import git
from engine.kit.safe_text import safe_block, safe_line
from plugins.todos.places import is_todo_file
from plugins.todos.wording import COMMON_WORDS, is_verb

_CODE: Final = re.compile(r"`([^`\n]{2,80})`")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[./:\-]{1,2}[A-Za-z0-9_]+)*")
_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_TERMS: Final = 12
_READ: Final = 24
"""Files opened to find the best lines."""
_LINES: Final = 3
_WALK_FILES: Final = 4_000
_WALK_BYTES: Final = 20_000_000
_FILE_BYTES: Final = 400_000
_GREP_TIMEOUT_S: Final = 10.0
_TOO_COMMON: Final = 0.35
"""A term that more than this share of the files mention tells nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """Something to look for."""

    text: str
    weight: float
    """3 for what is written as code, 2 for what looks like an identifier, 1 for a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A file that mentions the matter."""

    path: str
    """Relative to the folder that was searched."""
    score: float
    terms: tuple[str, ...]
    lines: tuple[tuple[int, str], ...]
    """The best lines: 1-based number and text."""


def terms_of(text: str, headings: Iterable[str] = ()) -> list[Term]:
    """Return what is worth looking for, the most telling first, at most twelve."""
    found: dict[str, Term] = {}

    def add(word: str, weight: float) -> None:
        word = word.strip(" .,:;()[]{}\"'`*")
        if len(word) >= 3 and len(word) <= 60 and word.lower() not in found and "\0" not in word:
            found[word.lower()] = Term(text=word, weight=weight)

    for code in _CODE.findall(text):
        add(code.split("(", 1)[0].split()[0] if code.strip() else "", 3.0)
    bare = _CODE.sub(" ", text)
    for word in _IDENTIFIER.findall(bare):
        if _looks_like_code(word):
            add(word, 2.0)
    for weight, source in ((1.0, bare), *((0.5, heading) for heading in headings)):
        for word in _WORD.findall(source):
            if word.lower() not in COMMON_WORDS and not is_verb(word):
                add(word, weight * min(1.0, 0.5 + len(word) / 16))
    return sorted(found.values(), key=lambda term: (-term.weight, term.text))[:_TERMS]


def find_mentions(
    root: Path, terms: Sequence[Term], *, limit: int, stop: Callable[[], bool] = lambda: False
) -> list[Mention]:
    """Return the files below a folder that mention the terms most tellingly, best first; TODO files are left out.

    The same files give the same answer. Searched with git where the folder is in a repository, else by a bounded walk.
    """
    files, total = _files_by_term(root, terms, stop)
    weights = {
        term.text: term.weight * math.log(1 + total / len(files[term.text]))
        for term in terms
        if files.get(term.text) and (len(files[term.text]) <= max(3.0, total * _TOO_COMMON))
    }
    scores: dict[str, float] = {}
    for word, weight in weights.items():
        for path in files[word]:
            named = 1.5 if word.lower() in path.lower() else 1.0
            scores[path] = scores.get(path, 0.0) + weight * named
    ranked = sorted(scores, key=lambda path: (-scores[path], path.count("/"), path))
    mentions: list[Mention] = []
    for path in ranked[:_READ]:
        if stop() or len(mentions) >= limit:
            break
        lines = _best_lines(root, path, weights)
        if lines:
            here = tuple(sorted(word for word in weights if path in files[word]))
            mentions.append(Mention(path=path, score=round(scores[path], 2), terms=here, lines=lines))
    return mentions


def _looks_like_code(word: str) -> bool:
    inner_capital = any(char.isupper() for char in word[1:]) and any(char.islower() for char in word)
    return "_" in word.strip("_") or inner_capital or bool(re.search(r"[a-z0-9][./:][a-z]", word, re.I))


def _files_by_term(root: Path, terms: Sequence[Term], stop: Callable[[], bool]) -> tuple[dict[str, set[str]], int]:
    listing = list_files(root)
    known = {path for path in listing.files if not is_todo_file(path)}
    found: dict[str, set[str]] = {}
    if listing.by_git:
        for term in terms:
            if stop():
                break
            found[term.text] = _grep(root, term.text) & known
        return found, max(1, len(known))
    return _walk(root, sorted(known), terms, stop), max(1, min(len(known), _WALK_FILES))


def _grep(root: Path, word: str) -> set[str]:
    whole = ["-w"] if len(word) < 6 and word.isalnum() else []
    result = git(
        root, "grep", "-lIFiz", "--untracked", *whole, "-e", word, "--", ".", timeout_s=_GREP_TIMEOUT_S
    )  # fmt: skip
    return {name.decode("utf-8", "replace") for name in result.out.split(b"\0") if name} if result.ok else set()


def _walk(root: Path, paths: Sequence[str], terms: Sequence[Term], stop: Callable[[], bool]) -> dict[str, set[str]]:
    patterns = {term.text: _pattern(term.text) for term in terms}
    found: dict[str, set[str]] = {term.text: set() for term in terms}
    read = 0
    for path in paths[:_WALK_FILES]:
        if stop() or read > _WALK_BYTES:
            break
        try:
            text = read_text(root, path, limit=_FILE_BYTES)
        except FileProblem:
            continue  # a binary, huge or vanished file mentions nothing
        read += len(text)
        for word, pattern in patterns.items():
            if pattern.search(text):
                found[word].add(path)
    return found


def _pattern(word: str) -> re.Pattern[str]:
    escaped = re.escape(word)
    return re.compile(rf"\b{escaped}\b" if len(word) < 6 and word.isalnum() else escaped, re.I)


def _best_lines(root: Path, path: str, weights: Mapping[str, float]) -> tuple[tuple[int, str], ...]:
    try:
        text = read_text(root, path, limit=_FILE_BYTES)
    except FileProblem:
        return ()
    patterns = [(_pattern(word), weight) for word, weight in weights.items()]
    scored = []
    for number, line in enumerate(text.splitlines(), 1):
        score = sum(weight for pattern, weight in patterns if pattern.search(line[:2_000]))
        if score:
            scored.append((-score, number, line))
    best = sorted(sorted(scored)[:_LINES], key=lambda entry: entry[1])
    return tuple((number, safe_line(safe_block(line), 200)) for _, number, line in best)
