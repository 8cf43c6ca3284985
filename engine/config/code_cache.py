"""Fingerprints that were read before: a start reads the code anew only where a file of it is not as it was.

Reading a project's code takes longer than all the rest of a start. What was read is kept in the user's cache, by what
it follows from: the stages as configured, and the rules of reading. Kept with it are the files it came from (time of
change and size), and where a module was looked for and is not. All of it must be as it was; a cache that cannot be
read, or does not fit, is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import time
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, Final

import platformdirs

import engine
from engine.config import kept
from engine.config.sources import Files, Prints, Read, read_stages
from engine.contracts.spec import ProjectSpec
from engine.rules import code
from engine.rules.code.fingerprint import Fingerprint, SymbolPrint

_SETTLED_NS: Final = 2_000_000_000
"""A file that was changed just before it was read may be changed again within the same tick of its clock."""

_SYMBOL: Final = tuple(field.name for field in fields(SymbolPrint))

log = logging.getLogger(__name__)


def read_stages_again(project: ProjectSpec) -> tuple[Prints, Files]:
    """Like `read_stages`, from the cache where nothing has changed; blocks for as long as reading takes."""
    cache = platformdirs.user_cache_path("rivus") / "code" / f"{_basis(project)}.json"
    if (known := _load(cache)) is not None:
        return known
    began = time.time_ns()
    read = read_stages(project)
    if all(began - changed > _SETTLED_NS for changed, _ in read.files.values()):
        _store(cache, read)
    return read.prints, read.files


def _basis(project: ProjectSpec) -> str:
    """What the fingerprints follow from beside the project's own modules."""
    stages = [
        (job.name, repr(job.discovery), [(stage.name, repr(stage)) for stage in job.stages]) for job in project.jobs
    ]
    reads = [
        (str(path), *_stamp(path))
        for job in project.jobs
        for stage in job.stages
        for pattern in stage.reads
        for path in sorted(project.root.glob(pattern))
    ]
    rules = [(entry.name, entry.stat().st_mtime_ns) for entry in sorted(_rules(), key=lambda entry: entry.name)]
    packages = [stage.packages for job in project.jobs for stage in job.stages if stage.packages]
    told = (engine.__version__, sys.version_info[:2], str(project.source), stages, reads, rules)
    installed = [os.stat(path).st_mtime_ns for path in sys.path if packages and os.path.isdir(path)]
    return hashlib.sha256(repr((told, installed)).encode("utf-8", "surrogateescape")).hexdigest()


def _stamp(path: str | Path) -> tuple[int, int]:
    stat = os.stat(path)
    return stat.st_mtime_ns, stat.st_size


def _rules() -> list[os.DirEntry[str]]:
    return [entry for entry in os.scandir(next(iter(code.__path__))) if entry.name.endswith(".py")]


def _load(cache: Path) -> tuple[Prints, Files] | None:
    try:
        text = kept.load(cache)
        if text is None:
            return None
        told = json.loads(text)
        if any(os.path.lexists(path) for path in told["absent"]):
            return None
        files = {path: (changed, size) for path, (changed, size) in told["files"].items()}
        if any(_stamp(path) != seen for path, seen in files.items()):
            return None
        prints = {(job, stage): _print_of(found) for job, stage, found in told["prints"]}
        return prints, files
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.info("the fingerprints that were kept are not used: %s", error)
        return None


def _print_of(told: dict[str, Any]) -> Fingerprint:
    return Fingerprint(
        version=told["version"],
        symbols=tuple(SymbolPrint(**dict(zip(_SYMBOL, symbol, strict=True))) for symbol in told["symbols"]),
        doubts=tuple(told["doubts"]),
        unresolved=tuple(told["unresolved"]),
    )


def _store(cache: Path, read: Read) -> None:
    prints = [
        (
            job,
            stage,
            {
                "version": found.version,
                "symbols": [astuple(symbol) for symbol in found.symbols],
                "doubts": found.doubts,
                "unresolved": found.unresolved,
            },
        )
        for (job, stage), found in read.prints.items()
    ]
    told = {"files": read.files, "absent": sorted(read.absent), "prints": prints}
    try:
        kept.store(cache, json.dumps(told))
    except (OSError, ValueError) as error:
        log.info("the fingerprints cannot be kept: %s", error)
