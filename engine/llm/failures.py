"""What a provider's failure means, by status and text: its own classes of error do not tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from engine.contracts.llm import BackendFailure, FailureKind

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
) -> BackendFailure:
    """The failure in the doctor's words; `headers` have lower-case names. `is_unsent`: no connection was made."""
    retry_after = retry_after_s(headers)

    def made(kind: FailureKind, *, is_charged: bool = False, after: float | None = retry_after) -> BackendFailure:
        return BackendFailure(text, kind=kind, status=status, retry_after_s=after, is_charged=is_charged)

    if is_unsent:
        return BackendFailure(text, kind="transient", is_unsent=True)
    if is_timeout or status == 408:
        return made("transient", is_charged=True)
    if status == 429 or (status in (400, 403, 503, 529) and _THROTTLED.search(text)) or status == 529:
        used_up = retry_after is None and _USED_UP.search(text)
        return made("throttled", after=_QUOTA_S if used_up else retry_after)
    if is_too_long or status == 413 or (status in (400, 422, 500) and _TOO_LONG.search(text)):
        return made("context")
    if is_policy or (status in (400, 403, 422) and _POLICY.search(text)):
        return made("item")
    if status in (401, 402, 403, 404, 405) or (status == 400 and _KEY.search(text)):
        return made("systemic")
    if status == 422:
        return made("item")
    if status is not None and 400 <= status < 500:
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


def _number(raw: str, unit: float) -> float | None:
    try:
        value = float(raw) * unit
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
