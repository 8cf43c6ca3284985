"""Open a file at its line in the person's own editor, while the app lets go of the terminal and the engine goes on."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from textual.app import App, SuspendNotSupported

_PLUS_LINE: Final = frozenset(
    {
        "vi",
        "vim",
        "nvim",
        "view",
        "nano",
        "emacs",
        "emacsclient",
        "micro",
        "kak",
        "joe",
        "mg",
        "ne",
        "vis",
        "ed",
        "less",
    }
)
"""Editors that take `+LINE` before the file."""
_GOTO: Final = frozenset({"code", "codium", "code-insiders", "cursor", "windsurf"})
"""Editors that take `--goto FILE:LINE`."""
_COLON: Final = frozenset({"hx", "helix", "subl", "zed"})
"""Editors that take `FILE:LINE`."""


class EditorProblem(Exception):
    """The file cannot be opened; the message says why."""


def editor_command(environment: Mapping[str, str], path: Path, line: int | None) -> list[str]:
    """Return the command that opens `path` at `line`; EditorProblem when no editor is set or it cannot be read."""
    chosen = environment.get("VISUAL") or environment.get("EDITOR") or ""
    try:
        words = shlex.split(chosen)
    except ValueError as error:
        raise EditorProblem(f"$EDITOR cannot be read: {error}") from error
    if not words:
        words = [next((name for name in ("vim", "vi", "nano") if shutil.which(name)), "")]
        if not words[0]:
            raise EditorProblem("no editor: set $VISUAL or $EDITOR")
    name = Path(words[0]).name
    if line is None:
        return [*words, str(path)]
    if name in _PLUS_LINE:
        return [*words, f"+{line}", str(path)]
    if name in _GOTO:
        return [*words, "--wait", "--goto", f"{path}:{line}"]
    return [*words, f"{path}:{line}" if name in _COLON else str(path)]


def file_within(root: Path, path: str) -> Path:
    """Return the file below `root`; EditorProblem when it is not there or leads outside."""
    folder = Path(os.path.realpath(root))
    try:
        target = Path(os.path.realpath(folder / path))
        there = target.is_file()
    except (OSError, ValueError) as error:
        raise EditorProblem(f"{path[:60]} is no file name: {getattr(error, 'strerror', None) or error}") from error
    if not target.is_relative_to(folder):
        raise EditorProblem(f"{path} leads outside the project")
    if not there:
        raise EditorProblem(f"{path} is not there any more")
    return target


async def edit(app: App[Any], root: Path, path: str, line: int | None) -> None:
    """Open a file of the project in the editor and wait until it is closed; the loop goes on meanwhile."""
    command = editor_command(os.environ, file_within(root, path), line)
    try:
        with app.suspend(), _only_the_editor_is_interrupted():
            process = await asyncio.create_subprocess_exec(*command, cwd=root)
            code = await process.wait()
    except SuspendNotSupported as error:
        raise EditorProblem("this terminal cannot be handed to an editor") from error
    except OSError as error:
        raise EditorProblem(f"{command[0]}: {error.strerror or error}") from error
    if code != 0:
        raise EditorProblem(f"{command[0]} ended with code {code}")


@contextmanager
def _only_the_editor_is_interrupted() -> Iterator[None]:
    """A terminal sends what its keys mean to everybody in front of it: Ctrl+C in a pager would end the room too."""
    # They are not ignored: the editor would inherit that.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
