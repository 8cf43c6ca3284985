"""Run git as a subprocess that cannot ask, cannot run the repository's hooks, and cannot hang.

git's own configuration of a foreign repository may name programs (`core.fsmonitor`, hooks); both are switched off for
every call.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.contracts.values import dataclass

_OPTIONS: Final = (
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotepath=off",
    "-c",
    "color.ui=false",
)


@dataclass(frozen=True, slots=True)
class GitResult:
    """What a git command printed."""

    code: int
    """Exit code; 127 when git is not installed, 124 when it took too long."""
    out: bytes
    error: str

    @property
    def ok(self) -> bool:
        """Whether git exited with 0."""
        return self.code == 0

    @property
    def text(self) -> str:
        """Output as text; bytes that are not UTF-8 are replaced."""
        return self.out.decode("utf-8", "replace")


def head_mark(repository: Path) -> str | None:
    """Return something that changes when HEAD of a repository moves, without running git; None where there is none."""
    folder = repository / ".git"
    try:
        if folder.is_file():  # a worktree or a submodule: the file names the folder
            told = folder.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            folder = Path(os.path.realpath(repository / told))
        head = (folder / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        common = folder / "commondir"
        shared = folder
        if common.is_file():
            shared = Path(os.path.realpath(folder / common.read_text(encoding="utf-8").strip()))
        ref = shared / name
        if ref.is_file():
            return f"{name} {ref.read_text(encoding='utf-8').strip()}"
        packed = shared / "packed-refs"
        return f"{name} packed {packed.stat().st_mtime_ns}" if packed.is_file() else name
    except (OSError, ValueError):
        return None


def git(
    cwd: Path, *args: str, timeout_s: float = 20.0, stdin: bytes | None = None, index: Path | None = None
) -> GitResult:
    """Run `git ARGS` in `cwd` and return what it printed; never raises for what git does.

    `index`: the file that stands for the checkout's index.
    """
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
        **({"GIT_INDEX_FILE": str(index)} if index is not None else {}),
    }
    try:
        done = subprocess.run(
            ["git", *_OPTIONS, *args],
            cwd=cwd,
            env=env,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError:
        return GitResult(127, b"", "git is not installed, or the folder is gone")
    except NotADirectoryError:
        return GitResult(127, b"", f"{cwd} is not a folder")
    except subprocess.TimeoutExpired:
        return GitResult(124, b"", f"git {args[0]} took longer than {timeout_s:g} s")
    return GitResult(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace").strip())


def read_log(text: str) -> Iterator[tuple[str, list[str]]]:
    """Entries of `git log -z --format=/…`: what the format gave, and the fields of the files that came with it.

    No path in a repository begins with `/`, so a file cannot pass for an entry, whatever it is called.
    """
    entry: tuple[str, list[str]] | None = None
    for field in text.split("\0"):
        if field.startswith("/"):
            if entry is not None:
                yield entry
            entry = (field[1:], [])
        elif entry is not None and field:
            # A line feed ends what the format gave; it stands before the first file.
            entry[1].append(field if entry[1] else field.removeprefix("\n"))
    if entry is not None:
        yield entry
