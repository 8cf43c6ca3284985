"""When the other side wants to be asked again: Retry-After and its many spellings. Pure; `now` is not needed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_S: Final = 400 * 86_400.0
_UNIT: Final = r"(?:(?P<{0}>ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z]))"
_HEADER: Final = (
    r"(?:retry[-_ ]?after(?:[-_ ]?(?:ms|seconds|secs|s))?|retry[-_ ]?(?:delay|in)"
    r"|(?:x-)?rate-?limit-reset(?:-after|-requests|-tokens)?|backoff|wait)"
    r"['\"]?(?: header)?(?: of| is| was)?[\s:='\"]{1,5}"
)
_NUMBER: Final = re.compile(_HEADER + r"(?P<n>\d+(?:\.\d+)?)(?![\d:-])\s*" + _UNIT.format("u") + "?")
_TOLD: Final = re.compile(
    r"(?:(?:try|retry|come back|request|ask) ?(?:again|your request|the request)?|wait|available|resets?"
    r"|sleep|cool(?:ing)? ?down|break|blocked|expires?|lifted)"
    r"(?: (?:for|in|after|again|at least|another|of|about|will|be|required|please"
    r"|is))*[\s:]{1,3}(?P<n>\d+(?:\.\d+)?|an?|one|a few)\s*" + _UNIT.format("u") + r"(?:\s?(?P<n2>\d+(?:\.\d+)?)\s?s)?"
)
_ISO_SPAN: Final = re.compile(r"\bpt(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?\b")
_DATE: Final = re.compile(
    r"(?:retry[-_ ]?after|resets?(?:[-_ ]?(?:at|time|on))?|until|try again (?:at|after|on)|available (?:at"
    r"|on|again))['\"]?[\s:='\"]{1,4}"
    r"(?P<d>(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d gmt"
    r"|\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:z|[+-]\d\d:?\d\d)?|1\d{9}(?:\d{3})?\b)"
)
_SECONDS: Final = {"ms": 0.001, "mil": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def seconds_asked(text: str) -> float | None:
    """Return the seconds that a text (lower case) asks to wait, or None."""
    if found := _NUMBER.search(text):
        unit = found["u"] or ("ms" if re.search(r"after[-_ ]?ms", found[0]) else "s")
        return _bounded(float(found["n"]) * _unit_s(unit))
    if found := _TOLD.search(text):
        number = found["n"]
        count = 3.0 if number == "a few" else float(number) if number[0].isdigit() else 1.0
        return _bounded(count * _unit_s(found["u"]) + float(found["n2"] or 0))
    if (span := _ISO_SPAN.search(text)) and any(span.groups()):
        hours, minutes, seconds = (float(part or 0) for part in span.groups())
        return _bounded(hours * 3_600 + minutes * 60 + seconds)
    return None


def moment_asked(text: str) -> int | None:
    """Return the moment (ms UTC) that a text (lower case) asks to wait for, or None."""
    found = _DATE.search(text)
    if found is None:
        return None
    told = found["d"]
    if told.isdigit():
        return int(told) if len(told) == 13 else int(told) * 1_000
    try:
        iso = told.replace("z", "+00:00")
        moment = parsedate_to_datetime(told) if "," in told else datetime.fromisoformat(iso)
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)


def _unit_s(unit: str) -> float:
    return _SECONDS["ms" if unit == "ms" else "mil" if unit.startswith("mil") else unit[0]]


def _bounded(seconds: float) -> float | None:
    return seconds if 0 <= seconds < LONGEST_S else None
