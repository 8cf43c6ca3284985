"""What a session really did: the difference between its base and what lies in its tree, and whether that may be taken.

An exit code of 0 and friendly words are no evidence. The diff is; so is a configured command that must pass, and the
user's own checkout, which must be as it was.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from plugins.maintenance.agents.clone import Clone, CloneProblem

ALWAYS_ASKED: Final = (
    *(".git*", "**/.git*", ".github/**", ".gitlab-ci.yml", ".circleci/**", ".ci/**", "Jenkinsfile", ".husky/**"),
    *("**/.pre-commit-config.yaml", "*.lock", "**/*.lock", "*lock.json", "**/*lock.json", "**/go.sum", "go.sum"),
    *("**/conftest.py", "**/*.pth", "jobs.yaml", "**/jobs.yaml"),
)
"""Files that run by themselves or decide what is run: a change of one is shown to a person first, and says so."""
DIFF_MAX: Final = 400_000
"""Characters of the diff that are kept as text."""
_SECRET: Final = re.compile(
    r"(?i)(-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bsk-[A-Za-z0-9_-]{20,}|"
    r"\bxox[abprs]-[A-Za-z0-9-]{10,})"
)
"""Shapes of keys that nobody commits on purpose."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one session may change."""

    files: int = 40
    lines: int = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs."""

    path: str
    how: str
    """`added`, `changed` or `removed`."""
    added: int
    removed: int
    """Lines; -1 for a file that is not text."""
    mode: str
    """Its mode now, as git writes it (`100644`); `000000` for one that is removed."""


@dataclass(slots=True)
class Evidence:
    """What was found, before anybody decides about it."""

    commit: str
    changes: list[Change] = field(default_factory=list)
    diff: str = ""
    refused: list[str] = field(default_factory=list)
    """Why this must not be taken, each a sentence; empty: it may be shown for approval."""
    careful: list[str] = field(default_factory=list)
    """What a person should look at twice."""

    @property
    def lines(self) -> int:
        """Lines added and removed."""
        return sum(max(change.added, 0) + max(change.removed, 0) for change in self.changes)

    def summary(self) -> str:
        """The change in one line."""
        n = len(self.changes)
        added = sum(max(change.added, 0) for change in self.changes)
        removed = sum(max(change.removed, 0) for change in self.changes)
        return f"{n} {'file' if n == 1 else 'files'}, +{added} -{removed}" if n else "nothing changed"


def gather(clone: Clone, message: str, limits: Limits) -> Evidence:
    """Commit what lies in the tree and look at it; CloneProblem when it cannot be read."""
    commit = clone.take(message)
    found = Evidence(commit)
    if commit == clone.base:
        return found
    found.changes = _changes(clone, commit)
    _judge(found, limits)
    options = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "-U5")
    shown = clone.ours("diff", *options, clone.base, commit, "--")
    if not shown.ok:
        raise CloneProblem("the session's difference cannot be shown")
    found.diff = shown.text[:DIFF_MAX]
    if len(shown.text) > DIFF_MAX:
        found.careful.append(f"the diff is {len(shown.text):,} characters long; only the first {DIFF_MAX:,} are shown")
    added = "\n".join(line for line in shown.text.splitlines() if line.startswith("+"))
    if _SECRET.search(added):
        found.refused.append("it adds something that looks like a private key or an access token")
    return found


def _changes(clone: Clone, commit: str) -> list[Change]:
    raw = clone.ours("diff-tree", "-r", "-z", "--no-renames", "--raw", clone.base, commit)
    counted = clone.ours("diff-tree", "-r", "-z", "--no-renames", "--no-ext-diff", "--numstat", clone.base, commit)
    if not (raw.ok and counted.ok):
        raise CloneProblem("the session's difference cannot be read")
    lines: dict[str, tuple[int, int]] = {}
    for entry in counted.text.split("\0"):
        parts = entry.split("\t", 2)
        if len(parts) == 3:
            lines[parts[2]] = tuple(-1 if part == "-" else int(part) for part in parts[:2])  # type: ignore[assignment]
    changes: list[Change] = []
    fields = raw.text.split("\0")
    for head, path in zip(fields[::2], fields[1::2], strict=False):
        _, mode, _, _, status = head.split(" ")
        how = {"A": "added", "D": "removed"}.get(status[:1], "changed")
        added, removed = lines.get(path, (-1, -1))
        changes.append(Change(path, how, added, removed, mode))
    return changes


def _judge(found: Evidence, limits: Limits) -> None:
    if len(found.changes) > limits.files:
        found.refused.append(f"it changes {len(found.changes):,} files; at most {limits.files} are taken")
    if found.lines > limits.lines:
        found.refused.append(f"it changes {found.lines:,} lines; at most {limits.lines:,} are taken")
    for change in found.changes:
        if change.mode == "120000":
            found.refused.append(f"{change.path} is a symbolic link")
        elif change.mode == "160000":
            found.refused.append(f"{change.path} is a repository within the repository")
        elif PurePosixPath(change.path).parts[:1] == (".git",):
            found.refused.append(f"{change.path} lies in .git")
        elif change.added == -1 and change.how != "removed":
            found.careful.append(f"{change.path} is not text")
        if matches(change.path, ALWAYS_ASKED):
            found.careful.append(f"{change.path} decides what is run")
        if change.mode == "100755" and change.how == "added":
            found.careful.append(f"{change.path} is a new program")


def outside(found: Evidence, expected: Sequence[str]) -> list[str]:
    """Return changed files that the item's scope does not name; none when it names none."""
    return [change.path for change in found.changes if expected and not matches(change.path, expected)]


def matches(path: str, patterns: Sequence[str]) -> bool:
    """Whether a path is one of these, or below one of these folders; `*` and `**` as in a shell."""
    return any(
        path == pattern or path.startswith(pattern.rstrip("/") + "/") or fnmatch.fnmatchcase(path, pattern)
        for pattern in patterns
    )
