"""From a file to a ProjectSpec: read, validate, cross-check, resolve. Every problem is reported, all at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.config import checked
from engine.config.build import build_project
from engine.config.document import Unreadable, read_bytes
from engine.config.find import builtin_config
from engine.config.power import power_of
from engine.config.problems import Problems
from engine.config.resolve import Resolver
from engine.contracts.errors import Untrusted
from engine.contracts.spec import ProjectSpec


def load_project(path: Path | None, root: Path, *, builtin: Path | None = None, trusted: bool = True) -> ProjectSpec:
    """Load a jobs.yaml, or the built-in jobs when `path` is None (from `builtin`, or the file beside the engine).

    `root` is the folder that relative paths in the jobs start from. What handlers are made of is imported here; one
    that does not import makes its job `broken`. ConfigError carries every other problem, and then nothing is applied.
    Where the file is not `trusted`, Untrusted says what of it needs that: code that is not part of Rivus, or a power.
    Blocks for as long as reading and importing take: call it outside an event loop, or in a thread.
    """
    file = path if path is not None else builtin or builtin_config()
    problems = Problems(file)
    try:
        raw = read_bytes(file)
    except Unreadable as error:
        problems.unreadable(error)
        raise
    found = checked.load(raw)
    is_known = found is not None
    if found is not None:
        problems.read(found.document)
    else:
        from engine.config.check import check

        found = check(raw, problems)
    resolver = Resolver(path.parent.absolute() if path is not None else None, trusted=trusted)
    project = None
    if found is not None:
        project = build_project(found.keys, found.bare, problems, resolver, root=root, source=path)
    problems.check()
    assert found is not None  # without keys there was a problem
    assert project is not None
    if not is_known:
        checked.store(raw, found)
    if path is not None and not trusted and (power := power_of(project, resolver)):
        raise Untrusted(f"{path}: {power}, and nobody has said yet that it may: look at it, then pass --trust once")
    return replace(project, trusted=trusted)
