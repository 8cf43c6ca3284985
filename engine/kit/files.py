"""List and read the files of a folder without leaving it.

Listing honours what git ignores where the folder is in a git repository. Reading never follows a symbolic link, never
opens anything but a regular file, and never reads more than its limit.
"""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import Final

from engine.contracts.values import dataclass
from engine.kit.git import git

SKIPPED_FOLDERS: Final = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".mypy_cache", ".ruff_cache"}
)
"""Folders that are never looked into where git does not say what to ignore."""


class FileProblem(Exception):
    """A file cannot be read; the message says why, without the path."""


class NoText(FileProblem):
    """It is nothing that a person writes: a folder, a device, huge, or binary."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Files below a folder."""

    files: tuple[str, ...]
    """Paths relative to the folder, with `/`, sorted. Names that are not UTF-8 are left out and counted."""
    by_git: bool
    """Whether git said what belongs there."""
    unreadable: int
    """Names that could not be represented, and folders that could not be opened."""


def list_files(root: Path) -> Listing:
    """List tracked and unignored files below `root`; without git, every file outside `SKIPPED_FOLDERS`."""
    listed = git(root, "ls-files", "-co", "--exclude-standard", "-z", timeout_s=60.0)
    if listed.ok:
        names: set[str] = set()
        bad = 0
        for raw in listed.out.split(b"\0"):
            if not raw:
                continue
            try:
                names.add(raw.decode("utf-8"))
            except UnicodeDecodeError:
                bad += 1
        return Listing(tuple(sorted(name for name in names if os.path.lexists(root / name))), True, bad)
    return _walk(root)


def _walk(root: Path) -> Listing:
    found: list[str] = []
    bad = 0

    def count_error(_: OSError) -> None:
        nonlocal bad
        bad += 1

    for folder, folders, files in os.walk(root, onerror=count_error, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        prefix = os.path.relpath(folder, root)
        for name in files:
            path = name if prefix == "." else f"{prefix}/{name}"
            try:
                path.encode("utf-8")
            except UnicodeEncodeError:
                bad += 1
                continue
            found.append(path.replace(os.sep, "/"))
    return Listing(tuple(sorted(found)), False, bad)


def read_bytes(root: Path, path: str, *, limit: int = 2_000_000) -> bytes:
    """Read a regular file below `root`, at most `limit` bytes; FileProblem says why it cannot be read."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or path.startswith("/"):
        raise FileProblem("the path leaves the folder")
    folder = -1
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        # O_NONBLOCK: opening a FIFO must not wait for a writer.
        handle = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except (OSError, ValueError) as error:
        raise FileProblem(_reason(error)) from error
    finally:
        if folder >= 0:
            os.close(folder)
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode):
        os.close(handle)
        raise NoText("a folder" if stat.S_ISDIR(info.st_mode) else "not a regular file")
    with os.fdopen(handle, "rb") as file:
        if info.st_size > limit:
            raise NoText(f"larger than {limit:,} bytes")
        try:
            return file.read(limit)
        except OSError as error:
            raise FileProblem(_reason(error)) from error


def read_text(root: Path, path: str, *, limit: int = 2_000_000) -> str:
    """Read a text file below `root`; a byte order mark is dropped, bytes that are not UTF-8 are replaced.

    What begins with the mark of UTF-16, as files of Windows do, is read as that.
    """
    raw = read_bytes(root, path, limit=limit)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace")
    if b"\0" in raw[:8_000]:
        raise NoText("a binary file")
    return raw.decode("utf-8-sig", "replace")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return str(error)
