"""The check `learning-health`: a folder of notes that has gone stale, says things twice, or contradicts itself.

Rules: `stale` (not touched for `days`, by its own `reviewed:` or git), `duplicate` (two notes or two principles that
say the same), `contradiction` (two notes that each supersede the other, one text that leads to two places, a note that
rests on a superseded one).

Params: `folders` (relative to a repository: `[notes, docs/learnings]`), `days` (365), `alike` (92, 0 to 100).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from engine.contracts.context import DiscoveryContext
from engine.contracts.item import Candidate
from engine.contracts.seam import accepts
from engine.kit.clock import SystemClock
from engine.kit.files import FileProblem, list_files, read_text
from engine.kit.git import git, read_log
from plugins.checks.finding import Finding, candidates
from plugins.checks.note_rules import Note, contradictions, duplicates, read_note, stale
from plugins.checks.prefix import prefix_of

CHECK: Final = "learning-health"
_FOLDERS: Final = ("notes", "learnings", "principles", "docs/notes", "docs/learnings")
_GIT_S: Final = 60.0


@accepts("folders", "days", "alike")
async def discover(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Give one candidate per thing that is wrong."""
    folders = [str(name).strip("/") for name in ctx.params.get("folders") or _FOLDERS]
    covered: list[str] = []
    complete = True
    for root in ctx.repositories:
        prefix = prefix_of(ctx.root, root)
        covered += [f"{prefix}/{name}" if prefix else name for name in folders]
        notes: list[Note] = []
        for path in (await asyncio.to_thread(list_files, root)).files:
            if path.endswith((".md", ".markdown")) and any(path.startswith(f"{name}/") for name in folders):
                try:
                    notes.append(read_note(path, await asyncio.to_thread(read_text, root, path)))
                except FileProblem as problem:
                    ctx.problem(str(problem), path=path)
                    complete = False
        changed = await asyncio.to_thread(last_changes, root, folders) if notes else {}
        now = SystemClock().now()
        days, alike = int(ctx.params.get("days", 365)), float(ctx.params.get("alike", 92))
        found = await asyncio.to_thread(_wrong, notes, changed, days, alike, now)
        for candidate in candidates(CHECK, prefix, sorted(found, key=lambda one: (one.path, one.line, one.rule))):
            yield candidate
    ctx.scope(covered, complete=complete)


def _wrong(notes: list[Note], changed: dict[str, int], days: int, alike: float, now: int) -> list[Finding]:
    return [*stale(notes, changed, days=days, now=now), *duplicates(notes, alike=alike), *contradictions(notes)]


def last_changes(root: Path, folders: list[str]) -> dict[str, int]:
    """When each file below these folders was last committed, ms UTC; files that never were are missing."""
    there = [name for name in folders if (root / name).is_dir()]
    told = git(root, "log", "--format=/%at", "--name-only", "--relative", "-z", "--", *there, timeout_s=_GIT_S)
    found: dict[str, int] = {}
    for at, files in read_log(told.text) if told.ok else ():
        for file in files:
            found.setdefault(file, int(at) * 1000)
    return found
