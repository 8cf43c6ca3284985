"""What makes two failures the same: type, normalised message, deepest frame of the project's own code.

Numbers of lines are not in it, so that a signature survives an edit above; nor is anything that differs from item to
item. What tells kinds of errors apart stays: HTTP statuses, error numbers, exit codes.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from engine.contracts.values import dataclass
from engine.contracts.verdict import Failure
from engine.rules.verdicts.facts import Facts, Link, facts_of

LABEL_LIMIT: Final = 200
_LINES: Final = 6
_QUOTED: Final = re.compile(r"(?<!\w)'(?:[^'\\\n]|\\.){0,2000}'(?!\w)|\"(?:[^\"\\\n]|\\.){0,2000}\"|`[^`\n]{0,500}`")
_STEPS: Final = (
    (re.compile(r"input_value=.{0,2000}?, input_type", re.S), "input_value=…, input_type"),
    (re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s'\"<>)\]}]+", re.I), "<url>"),
    (re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"), "<mail>"),
    (re.compile(r"(?<=\] )[\w-]{6,60}(?=: )"), "<id>"),
    (re.compile(r"<[\w.]{1,100} (?:object|at|name=)[^<>]{0,200}>"), "<object>"),
    (_QUOTED, "<value>"),
    (re.compile(r"(?<![\w.])(?:~|\.{1,2})?(?:/[\w.@+~%=,-]+){1,40}/?|\b[A-Za-z]:\\[^\s'\"]{1,400}"), "<path>"),
    (
        re.compile(
            r"\b[\w-]{1,80}\.(?:py|json|jsonl|csv|tsv|xml|html?|pdf|md|txt|ya?ml|mp[34]|wav|mkv|webm|png|jpe?g|gif"
            r"|zip|gz|db|sqlite|parquet|xlsx?|docx?|part|log|srt|vtt)\b"
        ),
        "<path>",
    ),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (
        re.compile(r"\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d(?: \w{2,4})?", re.I),
        "<time>",
    ),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.I), "<hex>"),
    (
        re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[?\b(?:[0-9a-f]{1,4}:){2,7}[0-9a-f]{0,4}\b\]?", re.I),
        "<host>",
    ),
    (
        re.compile(
            r"\b(?:[a-z0-9-]{1,63}\.){1,8}(?:com|org|net|io|dev|ai|co|de|uk|eu|fr|us|ch|at|info|app|cloud|local"
            r"|internal|example|test|gov|edu|localhost)\b(?::\d+)?",
            re.I,
        ),
        "<host>",
    ),
    (
        re.compile(
            r"\b(?:\d[\d,]*(?:\.\d+)? ?(?:ms|s|m|h|d|[kmg]i?b|px|x)\b ?|(?:\d+(?:\.\d+)?(?:ms|s|m|h|d)){2,})", re.I
        ),
        "<n>",
    ),
    (re.compile(r"\b(?=[\w-]{6,}\b)(?=[\w-]*\d)(?=[\w-]*[a-z])[\w-]{1,200}\b", re.I), "<id>"),
    (re.compile(r"\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[ap]m\b)?", re.I), "<time>"),
    (re.compile(r"\b[0-9a-f]{12,}\b", re.I), "<hex>"),
    (
        re.compile(
            r"\b(?P<what>symbol|ticker|user|item|key|channel|video|article|company|job|host|page|id|slug|account"
            r"|topic|query|stock|isin|series|row|doc|document|record)(?P<by>[ :=#]{1,3})[A-Z0-9][\w.-]{0,80}"
        ),
        r"\g<what>\g<by><name>",
    ),
    (re.compile(r"[-+]?\b\d[\d,._]*\b%?"), "<n>"),
    (re.compile(r"\d+"), "<n>"),
)
_SAID: Final = re.compile(
    r"['\"](?:message|error|detail|error_description|msg|reason|title)['\"]\s*:\s*(['\"])((?:(?!\1)[^\\\n]"
    r"|\\.){4,300})\1",
    re.I,
)
"""What a reply in JSON says in words; quoted like every value of it."""
_NUMBERED: Final = re.compile(r"\((\d{4}), ['\"]")
"""Error numbers of MySQL."""
_HOLLOW: Final = re.compile(r"[({\[](?:[^(){}\[\]]{0,400})[)}\]]")
_LISTED: Final = re.compile(r"(<\w+>)(?:(?:, | |: |=)\1)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The name of a kind of failure."""

    key: str
    """16 hexadecimal digits; equal for equal kinds, over runs and machines."""
    label: str
    """The same for a person: type, message with what it quotes, and place."""


def signature_of(failure: Failure, facts: Facts | None = None) -> Signature:
    """Return the signature of a failure."""
    facts = facts or facts_of(failure)
    link = facts.outer
    kind = failure.exc_type.strip().rpartition(".")[2][:120]
    message = normalised(link.text)
    marks = " ".join(_marks(link))
    place = ""
    if facts.own:
        folder_and_file = facts.own.path.replace("\\", "/").split("/")[-2:]
        place = f"{'/'.join(folder_and_file)}:{facts.own.function}"
    text = "\n".join((kind, marks, message, place))
    parts = (kind, marks, _first_line(link.text), f"at {place}" if place else "")
    label = " ".join(part for part in parts if part)
    return Signature(key=hashlib.sha256(text.encode()).hexdigest()[:16], label=label[:LABEL_LIMIT])


def _marks(link: Link) -> list[str]:
    """What tells kinds of errors apart, although it is a number or quoted."""
    codes = [code for code in link.codes[1:] if not any(letter.isdigit() for letter in code)]
    said = [
        " ".join(_values(" ".join(hit[1].split()[:8])).split()) for hit in _SAID.findall(link.text) if " " in hit[1]
    ]
    return [
        *(f"HTTP {status}" for status in link.statuses[:2]),
        *(f"errno {number}" for number in link.errnos[:2]),
        *(f"exit {code}" for code in link.exits[:1]),
        *_NUMBERED.findall(link.text)[:1],
        *codes[:2],
        *said[:1],
    ]


def _first_line(message: str) -> str:
    """The message for a person: what is quoted often says what is wrong, such as the argument that was not expected."""
    lines = (" ".join(line.split()) for line in message[:2_000].splitlines())
    text = next(filter(None, lines), "")
    for pattern, stand_in in _STEPS:
        if pattern is not _QUOTED:
            text = pattern.sub(stand_in, text)
    return _LISTED.sub(r"\1", text)


def _values(text: str) -> str:
    for pattern, stand_in in _STEPS:
        text = pattern.sub(stand_in, text)
    return text


def normalised(message: str) -> str:
    """Take out of a message what differs from item to item."""
    lines = [" ".join(line.split()) for line in message.strip()[:2_000].splitlines()[:_LINES]]
    text = "\n".join(line for line in lines if line)
    text = _values(text)
    for _ in range(4):
        shorter = _HOLLOW.sub(_emptied, text)
        if shorter == text:
            break
        text = shorter
    return _LISTED.sub(r"\1", text)[:500]


def _emptied(match: re.Match[str]) -> str:
    """Keep what brackets hold when it is words, such as an error code; drop it when it is values."""
    inner = match[0][1:-1]
    if match[0][0] in "([" and "<" not in inner and inner:
        return f"⟨{inner}⟩"
    return "<values>"
