"""The check `code-scrutiny`: files that change often, are large and full of TODOs deserve to be read.

Each finding becomes an item; accepted, it is scoped and read by a model where one is there, or by a person.

Params: `targets` (globs; only these files), `days` (180), `most` (10 files), `least` (20: score from which on),
`ignore` (globs).
"""

from __future__ import annotations

import asyncio
import fnmatch
import math
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.contracts.context import DiscoveryContext
from engine.contracts.item import Candidate
from engine.contracts.seam import accepts
from engine.kit.files import FileProblem, read_text
from engine.kit.git import git
from plugins.checks.finding import Finding, candidates
from plugins.checks.prefix import prefix_of
from plugins.todos.comments import code_files
from plugins.todos.places import read_todos

CHECK: Final = "code-scrutiny"
_GIT_S: Final = 60.0
_LEAST_COMMITS: Final = 3


@dataclass(frozen=True, slots=True)
class Hot:
    """How hot one file is."""

    path: str
    commits: int
    lines: int
    todos: int

    @property
    def score(self) -> float:
        """Churn times size (in hundreds of lines, damped), raised by TODOs for each hundred lines."""
        size = math.sqrt(max(self.lines, 1) / 100)
        density = self.todos / max(self.lines / 100, 1.0)
        return round(self.commits * size * (1 + density), 1)


@accepts("targets", "days", "most", "least", "ignore")
async def discover(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Give the hottest files, one candidate each."""
    covered: list[str] = []
    complete = True
    targets = [str(glob) for glob in ctx.params.get("targets") or ()]
    ignore = [str(glob) for glob in ctx.params.get("ignore") or ()]
    for folder in ctx.repositories:
        prefix = prefix_of(ctx.root, folder)
        covered.append(prefix or ".")
        days = int(ctx.params.get("days", 180))
        churn = await asyncio.to_thread(commits_by_file, folder, days)
        if churn is None:
            ctx.problem("git did not say what changed", path=prefix or ".")
            complete = False
            continue
        files = [path for path in await asyncio.to_thread(code_files, folder) if churn[path] >= _LEAST_COMMITS]
        wanted = [path for path in files if _is_wanted(path, targets, ignore)]
        hot = await asyncio.to_thread(measure, folder, wanted, churn)
        least = float(ctx.params.get("least", 20))
        hottest = [one for one in hot if one.score >= least][: int(ctx.params.get("most", 10))]
        for candidate in candidates(CHECK, prefix, [_finding(one, days) for one in hottest]):
            yield candidate
    ctx.scope(covered, complete=complete)


def commits_by_file(folder: Path, days: int) -> Counter[str] | None:
    """Count the commits that touched each file, merges left out; None when git does not say."""
    told = git(
        folder, "log", f"--since={days}.days", "--no-merges", "--format=", "--name-only", "--relative", "-z",
        timeout_s=_GIT_S,
    )  # fmt: skip
    return Counter(name.strip("\n") for name in told.text.split("\0") if name.strip("\n")) if told.ok else None


def measure(folder: Path, paths: Sequence[str], churn: Counter[str]) -> list[Hot]:
    """Measure files, the hottest first."""
    found = []
    for path in paths:
        try:
            lines = read_text(folder, path).count("\n") + 1
            found.append(Hot(path, churn[path], lines, len(read_todos(folder, path))))
        except FileProblem:
            continue
    return sorted(found, key=lambda one: (-one.score, one.path))


def _is_wanted(path: str, targets: Sequence[str], ignore: Sequence[str]) -> bool:
    if any(fnmatch.fnmatch(path, glob) for glob in ignore):
        return False
    return not targets or any(fnmatch.fnmatch(path, glob) for glob in targets)


def _finding(hot: Hot, days: int) -> Finding:
    todos = f", {hot.todos} TODO{'' if hot.todos == 1 else 's'}" if hot.todos else ""
    return Finding(
        rule="hot", type="scrutiny", path=hot.path, line=1, evidence="hot",
        sentence=f"deserves a reading: {hot.commits} commits in {days} days, {hot.lines:,} lines{todos}",
        confidence="medium",
        facts=(
            ("commits", f"{hot.commits} in {days} days"), ("lines", f"{hot.lines:,}"), ("TODOs", str(hot.todos)),
            ("score", f"{hot.score:g} = commits x sqrt(lines/100) x (1 + TODOs per 100 lines)"),
        ),
    )  # fmt: skip
