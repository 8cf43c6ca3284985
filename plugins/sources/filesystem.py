"""Files of the project as items: one per regular file below the roots whose path matches.

Params: `roots` (folders relative to the project's root; without it the configured repositories), `include` and
`exclude` (globs on the path relative to the root that was listed; exclude wins), `max_bytes` (larger files are no
items; without it size does not matter, so that a stage can say that a file is too large).

What git ignores is left out where a root is in a git repository. Symbolic links are neither followed nor listed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from re import Pattern
from re import error as PatternError
from typing import Any, Final

from engine.contracts.context import DiscoveryContext
from engine.contracts.item import Candidate
from engine.contracts.seam import accepts
from engine.kit.files import list_files
from engine.kit.safe_text import safe_line
from plugins.sources.globs import matcher

DEFAULT_INCLUDE: Final = ("**/*.md", "**/*.markdown", "**/*.rst", "**/*.txt")
_CHUNK: Final = 256
"""Files looked at per visit to a thread: some milliseconds, so that the loop and a stop are never kept waiting."""
_KEY_LIMIT: Final = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class _Params:
    roots: tuple[str, ...] | None
    include: Pattern[str]
    exclude: Pattern[str]
    max_bytes: int | None


@accepts("roots", "include", "exclude", "max_bytes")
async def discover(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Give one candidate per file, in path order within each root; ValueError names the param that cannot be used."""
    params = _read_params(ctx.params)
    complete = True
    covered: list[str] = []
    seen: set[str] = set()
    for prefix in _given_roots(ctx.root, params.roots) if params.roots else _repositories(ctx):
        if prefix is None:
            complete = False
            continue
        covered.append(prefix or ".")
        wanted, unreadable = await asyncio.to_thread(_list, ctx.root / prefix, params)
        if unreadable:
            complete = False
            ctx.problem(f"{unreadable} names are not UTF-8 or could not be listed", path=prefix or ".")
        for start in range(0, len(wanted), _CHUNK):
            if ctx.cancelled:
                ctx.scope(covered, complete=False)
                return
            paths = [f"{prefix}/{path}" if prefix else path for path in wanted[start : start + _CHUNK]]
            for path, info in await asyncio.to_thread(_look, ctx.root, paths):
                if isinstance(info, OSError):
                    complete = False
                    ctx.problem(f"cannot be looked at: {info.strerror or info}", path=path)
                elif path not in seen and (params.max_bytes is None or info.st_size <= params.max_bytes):
                    seen.add(path)
                    yield _candidate(path, info)
    ctx.scope(covered, complete=complete)


def _read_params(params: Mapping[str, Any]) -> _Params:
    max_bytes = params.get("max_bytes")
    if max_bytes is not None and (isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 0):
        raise ValueError(f"max_bytes must be a whole number of bytes, not {max_bytes!r}")
    roots = _texts(params, "roots")
    if roots == ():
        raise ValueError("roots is empty: name at least one folder, or leave it out for the configured repositories")
    return _Params(
        roots=roots,
        include=_globs("include", _texts(params, "include") or DEFAULT_INCLUDE),
        exclude=_globs("exclude", _texts(params, "exclude") or ()),
        max_bytes=max_bytes,
    )


def _texts(params: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    value = params.get(name)
    if value is None:
        return None
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(one, str) and one for one in values):
        raise ValueError(f"{name} must be a text or a list of texts, not {value!r}")
    return tuple(values)


def _globs(name: str, patterns: tuple[str, ...]) -> Pattern[str]:
    try:
        return matcher(patterns)
    except PatternError as error:
        raise ValueError(f"{name} has a pattern that cannot be used: {error}") from error


def _given_roots(root: Path, names: tuple[str, ...]) -> list[str]:
    return [_inside(root, root / name, f"roots: {name}") for name in names]


def _repositories(ctx: DiscoveryContext) -> list[str | None]:
    """Repositories as prefixes; None, and a recorded problem, for each that cannot be used."""
    prefixes: list[str | None] = []
    for folder in ctx.repositories:
        try:
            prefixes.append(_inside(ctx.root, folder, str(folder)))
        except ValueError as error:
            ctx.problem(str(error))
            prefixes.append(None)
    return prefixes


def _inside(root: Path, folder: Path, name: str) -> str:
    """Return `folder` relative to `root`, "" for the root itself; ValueError when files there could not be read."""
    path = Path(os.path.normpath(folder))
    base = Path(os.path.normpath(root))
    if not path.is_relative_to(base):
        raise ValueError(f"{name} lies outside the project's folder")
    relative = path.relative_to(base)
    if Path(os.path.realpath(path)) != Path(os.path.realpath(base)) / relative:
        raise ValueError(f"{name} goes through a symbolic link")
    if not path.is_dir():
        raise ValueError(f"{name} is not a folder")
    return "" if relative == Path() else relative.as_posix()


def _list(folder: Path, params: _Params) -> tuple[list[str], int]:
    """Return the paths that are wanted, in order, and how many names could not be represented or listed."""
    listing = list_files(folder)
    return [
        path for path in listing.files if params.include.fullmatch(path) and not params.exclude.fullmatch(path)
    ], listing.unreadable


def _look(root: Path, paths: list[str]) -> list[tuple[str, os.stat_result | OSError]]:
    """Stat these files without following links; what is gone by now, or is no regular file, is left out."""
    found: list[tuple[str, os.stat_result | OSError]] = []
    for path in paths:
        try:
            info = os.lstat(root / path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found.append((path, error))
            continue
        if stat.S_ISREG(info.st_mode):
            found.append((path, info))
    return found


def _candidate(path: str, info: os.stat_result) -> Candidate:
    return Candidate(
        key=_key(path),
        title=safe_line(path),
        # No time in the data: a mere touch would replace it, and the revision says it already.
        data={"path": path, "size": info.st_size},
        revision=f"{info.st_size}-{info.st_mtime_ns}",
        path=path,
    )


def _key(path: str) -> str:
    """Return the path itself; where cleaning or the limit changes it, a cleaned start and a digest of the whole."""
    if safe_line(path, _KEY_LIMIT) == path:
        return path
    digest = hashlib.sha256(path.encode()).hexdigest()[:16]
    return f"{safe_line(path, _KEY_LIMIT - 17)}~{digest}"
