"""Where TODO files are, and what stands in one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.kit.files import SKIPPED_FOLDERS, FileProblem, list_files, read_text
from engine.kit.safe_text import safe_line
from plugins.todos.items import TodoItem
from plugins.todos.texts import items_of

_NAME: Final = re.compile(r"(?:to-?dos?(?:[._\- ].*|\d*)|todo\w*|.*[._\- ]to-?dos?)\.(?:md|markdown|mdown|mkd)", re.I)
_LIMIT: Final = 1_000_000
"""Bytes; a larger file is reported, it is no list that a person keeps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """A TODO file, or part of the folder, that could not be looked at."""

    file: str
    problem: str


def is_todo_file(path: str) -> bool:
    """Whether a file's name says that it lists TODOs: `TODO.md`, `TODOs.md`, `TODO-later.md`, `release.todo.md`, …

    Roadmaps are not: most tell a public what comes, and what they tick is a release.
    """
    *folders, name = path.split("/")
    return bool(_NAME.fullmatch(name)) and SKIPPED_FOLDERS.isdisjoint(folders)


def todo_files(folder: Path) -> tuple[list[str], list[Unreadable]]:
    """Return the TODO files below a folder, and what could not be looked at. Symbolic links are left out.

    A link's target is found by its own name where it is in the folder, and is somebody else's where it is not.
    """
    if not folder.is_dir():
        return [], [Unreadable(file=".", problem="no such folder")]
    listing = list_files(folder)
    problems = []
    if listing.unreadable:
        problems.append(Unreadable(file=".", problem=f"{listing.unreadable} names or folders could not be read"))
    return [path for path in listing.files if is_todo_file(path) and not (folder / path).is_symlink()], problems


def read_todos(folder: Path, path: str, *, name: str | None = None, paragraphs: bool = False) -> tuple[TodoItem, ...]:
    """Return the items of one file below a folder, under the name given or its path; FileProblem if it cannot be read.

    A text that was read before in this process is not parsed again.
    """
    text = read_text(folder, path, limit=_LIMIT)
    return tuple(items_of(text, path, name=safe_line(name or path), paragraphs=paragraphs))


def scan_folder(path: Path) -> Iterator[TodoItem | Unreadable]:
    """Yield the items of a file, or of all TODO files below a folder, in order of file and line.

    What cannot be read is yielded as `Unreadable`; nothing is raised for what a file holds.
    """
    if path.is_dir():
        files, problems = todo_files(path)
        yield from problems
        for file in files:
            yield from _rows(path, file, file)
    else:
        yield from _rows(path.parent, path.name, str(path))


def _rows(folder: Path, path: str, name: str) -> Iterator[TodoItem | Unreadable]:
    try:
        yield from read_todos(folder, path, name=name)
    except FileProblem as problem:
        yield Unreadable(file=safe_line(name), problem=str(problem))
