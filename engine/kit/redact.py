"""Take secrets out of text before it is sent, stored, logged or shown: known ones, and what looks like one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from typing import Final

HIDDEN: Final = "[secret]"
_SHORTEST: Final = 8
"""A known secret shorter than this is too likely to be a common word."""
_SHAPES: Final = re.compile(
    r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or|svcacct)?[-_]?[A-Za-z0-9_-]{12,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bAIza[A-Za-z0-9_-]{20,}|\bya29\.[A-Za-z0-9._-]{20,}"
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bhf_[A-Za-z0-9]{16,}|\bnpm_[A-Za-z0-9]{20,}|\bpypi-[A-Za-z0-9_-]{20,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,6000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)"
)
"""What a secret looks like by itself."""
_NAMED: Final = re.compile(
    r"(?i)(\b(?:[a-z0-9]{0,20}[-_])?(?:api[-_]?key|apikey|access[-_]?key(?:[-_]?id)?|secret(?:[-_]?(?:key|access[-_]?key))?"
    r"|client[-_]?secret|access[-_]?token|refresh[-_]?token|auth[-_]?token|id[-_]?token|session[-_]?(?:id|token)|token"
    r"|password|passwd|pwd|credential|private[-_]?key|x-api-key|sig|signature)['\"]?\s{0,3}(?:=|:)\s{0,3}b?['\"]?)"
    r"([^\s'\"&,;)}\]<>\[]{4,400})"
)
_HEADER: Final = re.compile(
    r"(?i)(\b(?:(?:proxy-)?authorization|cookie|set-cookie)['\"]?\s{0,3}[:=]\s{0,3}b?['\"]?)([^\r\n'\"]{4,2000})"
)
_BEARER: Final = re.compile(r"(?i)(\b(?:bearer|basic)\s{1,3})([A-Za-z0-9+/=._~-]{12,})")
_USERINFO: Final = re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"]{0,100}:)([^\s/@'\"]{1,200})(@)", re.I)


_SECRET_NAME: Final = re.compile(r"(?i)(?:^|_)(?:\w*key|token|secret|passw(?:or)?d|credentials?)$")


@cache
def _of_the_environment() -> tuple[str, ...]:
    """Values of variables whose name says that they are secret, as they were at the first look."""
    named = {value for name, value in os.environ.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST}
    return tuple(sorted(named, key=len, reverse=True))


def redact(text: str) -> str:
    """Replace secrets of the environment, what looks like a secret, and what stands where secrets stand; idempotent."""
    for secret in _of_the_environment():
        text = text.replace(secret, HIDDEN)
    text = _SHAPES.sub(HIDDEN, text)
    text = _HEADER.sub(_keep_name, text)
    text = _BEARER.sub(_keep_name, text)
    text = _USERINFO.sub(lambda match: f"{match[1]}{HIDDEN}{match[3]}", text)
    return _NAMED.sub(_keep_name, text)


def _keep_name(match: re.Match[str]) -> str:
    return f"{match[1]}{HIDDEN}"


class Redactor:
    """Knows the secrets of this project."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text with `[secret]` in place of each."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return redact(text)
