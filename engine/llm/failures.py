"""What a provider's failure means, by status and text: its own classes of error do not tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from engine.contracts.llm import BackendFailure, FailureKind

_PASSING: Final = (409, 423, 425)
"""Statuses of a request that is right, and comes at the wrong moment."""
_QUOTA_S: Final = 3_600.0
"""An exhausted quota is looked at again after an hour where nobody says when it starts anew."""
_USED_UP: Final = re.compile(
    r"insufficient.quota|exceeded your current quota|billing|credit balance|out of credits", re.I
)
_THROTTLED: Final = re.compile(r"rate.?limit|too many requests|quota|overloaded|resource.?exhausted|try again in", re.I)
_TOO_LONG: Final = re.compile(
    r"context.?length|context.?window|maximum context|too many tokens|prompt is too long|input is too long"
    r"|reduce the length|exceeds the (?:available )?context",
    re.I,
)
_KEY: Final = re.compile(
    r"api.?key|unauthor|authentication|invalid.?token|permission|incorrect key|access denied", re.I
)
_POLICY: Final = re.compile(r"content.?policy|content management|safety system|flagged|content.?filter", re.I)
_WAIT: Final = re.compile(
    r"(?:try again|retry|wait)\s+(?:in|after|for)\s+|retry_?delay\W{1,4}|retry_?after\W{1,4}", re.I
)
"""What stands before a time to wait, in words or in a field of an error's body."""
_SPAN: Final = re.compile(
    r"[\s,]*(?:and\s+)?(\d+(?:\.\d+)?)\s*(ms|milliseconds?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?![a-z])",
    re.I,
)
_UNITS: Final = {"ms": 0.001, "mi": 60.0, "m": 60.0, "h": 3_600.0, "s": 1.0}
_NOT_SENT: Final = re.compile(
    r"connection refused|all connection attempts failed|cannot connect|name or service not known"
    r"|nodename nor servname|no route to host|network is unreachable|getaddrinfo",
    re.I,
)
_CUT: Final = re.compile(
    r"disconnected|connection (?:reset|error|aborted|closed)|incomplete|peer closed|expecting value|json|larger than"
    r"|readerror|eof|unterminated|decod",
    re.I,
)


def classify(
    text: str,
    *,
    status: int | None,
    headers: Mapping[str, str],
    is_timeout: bool = False,
    is_too_long: bool = False,
    is_policy: bool = False,
    is_unsent: bool = False,
    is_answered: bool = False,
) -> BackendFailure:
    """The failure in the doctor's words; `headers` have lower-case names. `is_unsent`: no connection was made.

    `is_answered`: the server said that all is well, and what it sent is no answer all the same.
    """
    retry_after = retry_after_s(headers)

    def made(kind: FailureKind, *, is_charged: bool = False, after: float | None = retry_after) -> BackendFailure:
        # What a server answered to may be paid, unless it says in its answer that it did nothing.
        is_paid = is_charged or (is_answered and kind in ("transient", "item", "code_bug"))
        return BackendFailure(text, kind=kind, status=status, retry_after_s=after, is_charged=is_paid)

    if is_unsent:
        return BackendFailure(text, kind="transient", is_unsent=True)
    if is_timeout or status == 408:
        return made("transient", is_charged=True)
    if status == 429 or (status in (400, 403, 503, 529) and _THROTTLED.search(text)) or status == 529:
        asked = retry_after if retry_after is not None else told_s(text)
        return made("throttled", after=_QUOTA_S if asked is None and _USED_UP.search(text) else asked)
    if is_too_long or status == 413 or (status in (400, 422, 500) and _TOO_LONG.search(text)):
        return made("context")
    if is_policy or (status in (400, 403, 422) and _POLICY.search(text)):
        return made("item")
    if (
        status in (401, 402, 403, 404, 405)
        or (status is not None and 300 <= status < 400)
        or (status == 400 and _KEY.search(text))
    ):
        return made("systemic")
    if status == 422:
        return made("item")
    if status is not None and 400 <= status < 500 and status not in _PASSING:
        return made("code_bug")
    if status == 503 and retry_after is not None:
        return made("throttled")
    if _NOT_SENT.search(text):
        # A gateway that says so of the server behind it has counted the question all the same.
        return BackendFailure(text, kind="transient", status=status, is_unsent=status is None)
    # What broke after it was sent (and malformed answers, which litellm calls a 500) may have been paid.
    return made("transient", is_charged=status is None or bool(_CUT.search(text)))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that a provider asks for; a date counts from its own clock. None: it says nothing (usable)."""
    if raw := headers.get("retry-after-ms"):
        return _number(raw, 0.001)
    raw = headers.get("retry-after", "")
    if (seconds := _number(raw, 1.0)) is not None:
        return seconds
    try:
        until = parsedate_to_datetime(raw)
        said = parsedate_to_datetime(headers["date"])
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    return max(0.0, (until - said).total_seconds())


def told_s(text: str) -> float | None:
    """Seconds to wait that an error's words ask for (`try again in 6m0.5s`, `"retryDelay": "34s"`); None: none."""
    for found in _WAIT.finditer(text):
        at, seconds = found.end(), 0.0
        while span := _SPAN.match(text, at):
            unit = span[2].lower()
            seconds += float(span[1]) * (_UNITS.get(unit[:2]) or _UNITS[unit[0]])
            at = span.end()
        if at > found.end():
            return seconds
    return None


def _number(raw: str, unit: float) -> float | None:
    try:
        value = float(raw) * unit
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
