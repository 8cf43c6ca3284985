"""An unexpected error of the program itself: the traceback goes into a file of its own, not on the screen."""

from __future__ import annotations

import os
import re
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_SECRET_NAME: Final = re.compile(r"key|token|secret|password|passwd|credential|cookie|auth", re.IGNORECASE)
_LEAST: Final = 6
"""Shorter values of the environment are no secrets, and would take words out of the text."""
_SECRET_LOOKS: Final = re.compile(
    r"(?i)(bearer\s+|basic\s+|(?:api[_-]?key|token|secret|password)[\"']?\s*[=:]\s*[\"']?)[^\s\"',)]{4,}"
    r"|\b(sk|ghp|gho|xox[abp]|glpat)-?[A-Za-z0-9_-]{16,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)


def write_crash(error: BaseException, folder: Path | None = None) -> str:
    """Write the traceback, without local variables and secrets, to a file that only its owner can read; say where."""
    text = redacted("".join(traceback.format_exception(error)), os.environ)
    try:
        handle, path = tempfile.mkstemp(prefix="rivus-crash-", suffix=".txt", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as problem:
        return f"its traceback could not be written ({problem})"
    return f"its traceback is in {path}"


def redacted(text: str, environment: Mapping[str, str]) -> str:
    """Return a text without what looks like a secret, and without the values of variables that are named like one."""
    values = [value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _LEAST]
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "***")
    return _SECRET_LOOKS.sub(lambda match: f"{match[1] or ''}***", text)
