"""An unexpected error of the program itself: the traceback goes into a file of its own, not on the screen."""

from __future__ import annotations

import os
import tempfile
import traceback


def write_crash(error: BaseException) -> str:
    """Write the traceback, without local variables, to a file that only its owner can read; say where it is."""
    text = "".join(traceback.format_exception(error))
    try:
        handle, path = tempfile.mkstemp(prefix="rivus-crash-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as problem:
        return f"its traceback could not be written ({problem})"
    return f"its traceback is in {path}"
