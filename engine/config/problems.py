"""Gather everything that is wrong in one configuration, each thing once, with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.config.document import Document, KeyPath, Unreadable
from engine.contracts.errors import ConfigError, Problem
from engine.kit.safe_text import safe_line

MAX_PROBLEMS: Final = 100


class Problems:
    """What is wrong in one file."""

    def __init__(self, file: Path) -> None:
        self._file = shown_path(file)
        self._document = Document(value=None)
        self._found: list[tuple[KeyPath, Problem]] = []

    def read(self, document: Document) -> None:
        """Take lines from this document, and over its flaws."""
        self._document = document
        for flaw in document.flaws:
            self.add(flaw.path, flaw.message, line=flaw.line)

    def unreadable(self, error: Unreadable) -> None:
        """Raise ConfigError with why a file cannot be read to its end, and what else was found before."""
        for flaw in error.flaws:
            if flaw.path:
                self.add(flaw.path, flaw.message, line=flaw.line)
            else:
                self.add_file(flaw.message, line=flaw.line)
        self.check()

    def add(self, path: KeyPath, message: str, *, line: int | None = None) -> None:
        """Add a problem at a key; `line` only when it is not that of the key."""
        where = line if line is not None else self._document.line(path)
        problem = Problem(file=self._file, line=where, key=dotted(path), message=message)
        self._found.append((path, problem))

    def add_file(self, message: str, *, line: int | None = None) -> None:
        """Add a problem of the file as a whole."""
        self._found.append(((), Problem(file=self._file, line=line, key="", message=message)))

    def add_new(self, path: KeyPath, message: str) -> None:
        """Add a problem unless something at, above or below this key is wrong already and may be its cause."""
        if not any(known[: len(path)] == path or path[: len(known)] == known for known, _ in self._found):
            self.add(path, message)

    def has(self, path: KeyPath) -> bool:
        """Whether a problem is known at this key or above it."""
        return any(path[: len(known)] == known for known, _ in self._found)

    def where(self, path: KeyPath) -> str:
        """Return `file:line` of a key."""
        return f"{self._file}:{self._document.line(path)}"

    def check(self) -> None:
        """Raise ConfigError with all that was found, in the order of the file."""
        if not self._found:
            return
        problems = sorted((problem for _, problem in self._found), key=lambda problem: problem.line or 0)
        if len(problems) > MAX_PROBLEMS:
            rest = Problem(file=self._file, line=None, key="", message=f"{len(problems) - MAX_PROBLEMS} more problems")
            problems = [*problems[:MAX_PROBLEMS], rest]
        raise ConfigError(problems)


def shown_path(file: Path) -> str:
    """Return the path as a person would type it from the current folder."""
    try:
        return safe_line(str(file.relative_to(Path.cwd())), 400)
    except (ValueError, OSError):
        return safe_line(str(file), 400)


def dotted(path: KeyPath) -> str:
    """Write a path as keys are spoken of: `jobs.docs.stages.read.timeout`, `settings.repositories[1]`."""
    text = ""
    for index, part in enumerate(path):
        if isinstance(part, str):
            text += f".{safe_line(part, 60)}" if text else safe_line(part, 60)
        elif not (index + 1 < len(path) and isinstance(path[index + 1], str)):
            text += f"[{part}]"  # a list entry is named by its only key where it has one
    return text
