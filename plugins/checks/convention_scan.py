"""The check `convention-scan`: what breaks the project's own rules.

Two sources: ruff's TD (TODOs without author or link) and FIX (FIXME, HACK, XXX) where ruff is installed and there is
Python, and patterns that the project bans.

Params: `banned`, a list of `{pattern: REGEX, why: TEXT, files: [GLOB, …], name: WORD}`; `ruff`, a list of rule
prefixes (`[TD, FIX]`; `[]`: ruff is not asked); `group`, true: one item for all findings of a rule in a file.
"""

from __future__ import annotations

import asyncio
import fnmatch
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.contracts.context import DiscoveryContext
from engine.contracts.item import Candidate
from engine.contracts.seam import accepts
from engine.kit.files import FileProblem, list_files, read_text
from engine.kit.safe_text import safe_line
from plugins.checks.finding import Finding, around, candidates
from plugins.checks.prefix import prefix_of

CHECK: Final = "convention-scan"
_RUFF: Final = ("TD", "FIX")
_RUFF_S: Final = 120.0
_PER_FILE: Final = 50
"""Findings of one pattern in one file; more say the same."""
_LINE_MAX: Final = 2_000
"""A longer line is made by a program, and costs a regular expression too much."""


class BadParam(ValueError):
    """A param of the check is not what it should be."""


@dataclass(frozen=True, slots=True)
class Banned:
    """One pattern."""

    name: str
    pattern: re.Pattern[str]
    why: str
    files: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Whether it holds for a file."""
        return not self.files or any(fnmatch.fnmatch(path, glob) for glob in self.files)


@accepts("banned", "ruff", "group")
async def discover(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Give one candidate per place."""
    banned = read_banned(ctx.params.get("banned") or ())
    rules = [str(rule) for rule in ctx.params.get("ruff", _RUFF) or ()]
    complete = True
    covered: list[str] = []
    for folder in ctx.repositories:
        prefix = prefix_of(ctx.root, folder)
        covered.append(prefix or ".")
        listing = await asyncio.to_thread(list_files, folder)
        found: list[Finding] = []
        for path in listing.files if banned else ():
            if ctx.cancelled:
                ctx.scope(covered, complete=False)
                return
            wanted = [one for one in banned if one.covers(path)]
            if wanted:
                found += await asyncio.to_thread(_in_file, folder, path, wanted)
        if rules and any(path.endswith(".py") for path in listing.files):
            told = await asyncio.to_thread(ruff, folder, rules)
            if isinstance(told, str):
                ctx.problem(told, path=prefix or ".")
                complete = False
            else:
                there = set(listing.files)
                found += [finding for finding in told if finding.path in there]
        found.sort(key=lambda one: (one.path, one.line, one.rule))
        for candidate in candidates(CHECK, prefix, found, group=ctx.params.get("group") is True):
            yield candidate
    ctx.scope(covered, complete=complete)


def read_banned(told: object) -> list[Banned]:
    """Return the patterns of a param; BadParam says which one is wrong."""
    if not isinstance(told, Sequence) or isinstance(told, str):
        raise BadParam("`banned` is a list of {pattern, why, files}")
    found: list[Banned] = []
    for number, entry in enumerate(told, start=1):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("pattern"), str):
            raise BadParam(f"`banned` number {number} has no `pattern`")
        try:
            pattern = re.compile(entry["pattern"])
        except re.error as error:
            raise BadParam(f"`banned` number {number}: {error}") from error
        files = entry.get("files") or ()
        globs = (files,) if isinstance(files, str) else tuple(map(str, files))
        name = safe_line(str(entry.get("name") or f"banned-{number}"), 40)
        found.append(Banned(name, pattern, safe_line(str(entry.get("why") or "the project bans it"), 200), globs))
    return found


def _in_file(folder: Path, path: str, banned: Sequence[Banned]) -> list[Finding]:
    try:
        lines = read_text(folder, path).split("\n")
    except FileProblem:
        return []  # what is no text breaks no rule of words
    found: list[Finding] = []
    for one in banned:
        hits = [number for number, line in enumerate(lines, start=1) if one.pattern.search(line[:_LINE_MAX])]
        for number in hits[:_PER_FILE]:
            first, shown = around(lines, number)
            text = " ".join(lines[number - 1].split())
            found.append(
                Finding(
                    rule=one.name, type="convention", path=path, line=number, evidence=text[:300],
                    sentence=f"has `{safe_line(text, 80)}`: {one.why}", facts=(("rule", one.why),),
                    first_line=first, lines=shown,
                )
            )  # fmt: skip
    return found


def ruff(folder: Path, rules: Sequence[str]) -> list[Finding] | str:
    """Ask ruff; returns its findings, or why it gave none. Where it is not installed there is nothing to find."""
    program = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    if program is None:
        return []
    command = [program, "check", "--isolated", "--no-cache", "--exit-zero", "--output-format", "json", "--select"]
    try:
        done = subprocess.run(
            [*command, ",".join(rules), "."], cwd=folder, capture_output=True, timeout=_RUFF_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        told: Any = json.loads(done.stdout or b"null")
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return f"ruff gave no answer: {safe_line(str(error), 120)}"
    if not isinstance(told, list):
        words = done.stderr.decode("utf-8", "replace").splitlines()
        return f"ruff failed: {safe_line(words[0] if words else 'without a word', 160)}"
    found = [_from_ruff(folder, entry) for entry in told if isinstance(entry, Mapping)]
    return [one for one in found if one is not None]


def _from_ruff(folder: Path, entry: Mapping[str, Any]) -> Finding | None:
    try:
        path = Path(str(entry["filename"])).relative_to(folder.resolve()).as_posix()
        line = int(entry["location"]["row"])
        lines = read_text(folder, path).split("\n")
    except (KeyError, TypeError, ValueError, FileProblem):
        return None
    first, shown = around(lines, line)
    text = " ".join(lines[line - 1].split()) if line <= len(lines) else ""
    code, message = safe_line(str(entry.get("code")), 20), safe_line(str(entry.get("message")), 160)
    return Finding(
        rule=code, type="convention", path=path, line=line, evidence=text[:300],
        sentence=f"{message} (ruff {code})", facts=(("ruff", f"{code} {message}"),), first_line=first, lines=shown,
    )  # fmt: skip
