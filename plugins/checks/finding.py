"""What a check found, and the item that it becomes."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from engine.contracts.item import Candidate, Confidence
from engine.kit.safe_text import safe_line

_PLACES: Final = 50
"""Places that an item of many findings names; more say the same."""
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


def candidates(check: str, prefix: str, findings: Iterable[Finding], *, group: bool = False) -> Iterator[Candidate]:
    """Yield one candidate a finding, in order; `prefix` leads from the project's root to the repository.

    The identity is the check, the rule, the path, the evidence and how many equal ones came before in that file; never
    the line, so that a finding keeps its item while the file is edited. With `group`, all findings of one rule in one
    file are one candidate, whose identity is the check, the rule and the path: it is fixed when the last of them is.
    """
    if group:
        yield from _groups(check, prefix, findings)
        return
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        path = f"{prefix}/{finding.path}" if prefix else finding.path
        same = (finding.rule, path, finding.evidence)
        yield _candidate(check, path, finding, _key(check, *same, str(seen[same])))
        seen[same] += 1


def _groups(check: str, prefix: str, findings: Iterable[Finding]) -> Iterator[Candidate]:
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.rule, f"{prefix}/{finding.path}" if prefix else finding.path].append(finding)
    for (rule, path), members in groups.items():
        one = _candidate(check, path, members[0], _key(check, rule, path))
        if len(members) == 1:
            yield one
            continue
        places = [{"line": each.line, "evidence": safe_line(each.evidence, 200)} for each in members[:_PLACES]]
        more = f"; {len(members) - 1} more of {safe_line(rule, 60)} in this file"
        title = f"{safe_line(one.title, 240)}{more}"
        text = "\n".join((title, *(f"line {each['line']}: {each['evidence']}" for each in places)))
        facts = [*one.data["facts"], ["Also at", "lines " + ", ".join(str(each["line"]) for each in places[1:])]]
        data = {**one.data, "facts": facts, "count": len(members), "places": places, "text": text}
        yield replace(one, title=title, data=data)


def _key(check: str, *identity: str) -> str:
    text = "\0".join((check, *identity))
    return f"{check}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _candidate(check: str, path: str, finding: Finding, key: str) -> Candidate:
    return Candidate(
        key=key,
        title=safe_line(f"{safe_line(path, 300)} {finding.sentence}", 300),
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
