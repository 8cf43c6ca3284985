"""Find the jobs.yaml that a folder belongs to, and the root of a project without one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import engine

CONFIG_NAME: Final = "jobs.yaml"


def find_config(start: Path) -> Path | None:
    """Return `start`/jobs.yaml or the nearest one above, as an absolute path.

    The search ends at the root of the file system, and below the folder that holds home folders: what lies there
    belongs to somebody else. A name that exists but is no file to read (a FIFO, a broken link) is returned all the
    same: reading says what is wrong with it, where another configuration in its place would be a surprise.
    """
    for folder in _upwards(Path(os.path.abspath(start))):
        candidate = folder / CONFIG_NAME
        if os.path.lexists(candidate) and not candidate.is_dir():
            return candidate
    return None


def _upwards(folder: Path) -> Iterator[Path]:
    home = os.environ.get("HOME")
    end = Path(home).parent if home else None
    for candidate in (folder, *folder.parents):
        if candidate == end:
            return
        yield candidate


def project_root(start: Path) -> Path:
    """Return the top folder of the git work tree that `start` lies in, or `start` itself, as an absolute path.

    A work tree is known by its `.git` (a folder, or the file of a worktree or submodule), so git need not be run.
    """
    start = Path(os.path.abspath(start))
    return next((folder for folder in (start, *start.parents) if os.path.lexists(folder / ".git")), start)


def is_own(config: Path) -> bool:
    """Whether this is the jobs.yaml of Rivus's own source, whose code runs already."""
    return Path(os.path.realpath(config)).parent == Path(engine.__file__).resolve().parent.parent


def builtin_config() -> Path:
    """Return the file of the built-in jobs, which is installed beside the engine."""
    return Path(engine.__file__).parent.parent / "plugins" / "builtin.yaml"
