"""Take secrets out of text before it is sent, stored or logged: those that are known, and what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "[secret]"
_SHORTEST: Final = 8
"""A known secret shorter than this is too likely to be a common word."""
_LOOKS_LIKE_ONE: Final = re.compile(
    r"\b(?:sk|rk|pk)-[A-Za-z0-9_-]{16,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAKIA[0-9A-Z]{16}\b|\bAIza[A-Za-z0-9_-]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}"
    r"|(?<=Bearer )[A-Za-z0-9._~+/-]{16,}=*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


class Redactor:
    """Knows the secrets of this project."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text with `[secret]` in place of each."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return _LOOKS_LIKE_ONE.sub(HIDDEN, text)
