"""What a check found, and the item that it becomes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from engine.contracts.item import Candidate, Confidence
from engine.kit.safe_text import safe_line

_AROUND: Final = 2
"""Lines of the file shown before and after the one that a finding is about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong in one file."""

    rule: str
    type: str
    path: str
    """Relative to the repository."""
    line: int
    evidence: str
    """What is wrong, in a form that stays equal when lines move or text around it changes."""
    sentence: str
    """What is wrong, for people, to stand behind the path: `links to docs/old.md, which does not exist`."""
    missing: str | None = None
    """Path in the repository that is said to be missing; what git ignores is left out later."""
    only_if_deleted: bool = False
    """Whether it counts only when `missing` was in the repository once, because the text alone does not tell."""
    confidence: Confidence = "high"
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    """Lines around it, from `first_line` on."""
    first_line: int = 1
    headings: tuple[str, ...] = ()


def around(lines: list[str], line: int) -> tuple[int, tuple[str, ...]]:
    """Return the number of the first line shown with a finding, and the lines."""
    first = max(1, line - _AROUND)
    return first, tuple(lines[first - 1 : line + _AROUND])


def candidates(check: str, prefix: str, findings: Iterable[Finding]) -> Iterable[Candidate]:
    """Return one candidate a finding, in order; `prefix` leads from the project's root to the repository.

    The identity is the check, the rule, the path, the evidence and how many equal ones came before in that file; never
    the line, so that a finding keeps its item while the file is edited.
    """
    seen: dict[tuple[str, str, str], int] = {}
    for finding in findings:
        path = f"{prefix}/{finding.path}" if prefix else finding.path
        same = (finding.rule, path, finding.evidence)
        number = seen.get(same, 0)
        seen[same] = number + 1
        identity = "\0".join((check, *same, str(number)))
        fingerprint = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        shown = safe_line(path, 300)
        yield Candidate(
            key=f"{check}:{fingerprint}",
            title=safe_line(f"{shown} {finding.sentence}", 300),
            data={
                "check": check,
                "rule": finding.rule,
                "type": finding.type,
                "path": path,
                "line": finding.line,
                "evidence": safe_line(finding.evidence, 500),
                "facts": [[label, safe_line(value, 300)] for label, value in finding.facts],
                "snippet": {
                    "path": path,
                    "start": finding.first_line,
                    "here": finding.line,
                    "lines": [_code_line(line) for line in finding.lines],
                },
            },
            path=path,
            line=finding.line,
            headings=tuple(safe_line(heading, 200) for heading in finding.headings),
            confidence=finding.confidence,
        )


def _code_line(line: str) -> str:
    """Clean one line of a file, its indentation kept."""
    text = line.expandtabs(4).rstrip()
    return " " * min(len(text) - len(text.lstrip(" ")), 40) + safe_line(text, 240)
