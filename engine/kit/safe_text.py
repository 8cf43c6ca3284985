"""Make text from outside harmless and visible before it is stored and again before it is shown.

Control characters (C0, DEL, C1), bidirectional overrides and invisible format characters can move the cursor, write
the clipboard or reorder what a person reads. They are not dropped silently: each becomes a visible stand-in, so that a
hostile title looks hostile. ZERO WIDTH JOINER stays, emoji need it.
"""

from __future__ import annotations

import re
from typing import Final

_CONTROL_PICTURES: Final = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
# Bidi controls and overrides, zero-width and other invisible format characters, tag characters, line separators.
_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_LINE_UNSAFE: Final = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f\ud800-\udfff{_INVISIBLE}]")
_BLOCK_UNSAFE: Final = re.compile(f"[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\ud800-\udfff{_INVISIBLE}]")


def _stand_in(match: re.Match[str]) -> str:
    code = ord(match[0])
    return _CONTROL_PICTURES.get(code) or ("\ufffd" if 0xD800 <= code <= 0xDFFF else f"\u27e8{code:X}\u27e9")


def safe_line(text: str, limit: int = 1_000) -> str:
    """Return one line: runs of white space become one space, controls become visible; longer text ends in `…`.

    Idempotent; at most `limit` characters.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text and text == text.strip(" "):
        return text  # what most keys and titles are
    if len(text) > limit * 4:
        text = text[: limit * 4]
    text = _LINE_UNSAFE.sub(_stand_in, " ".join(text.split()))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def safe_block(text: str, limit: int = 200_000) -> str:
    """Return text with its line breaks and tabs, controls visible; longer text ends in a line that says so.

    Idempotent for text within the limit.
    """
    text = text.replace("\r\n", "\n")
    cut = len(text) > limit
    text = _BLOCK_UNSAFE.sub(_stand_in, text[:limit])
    return f"{text}\n… (cut after {limit} characters)" if cut else text
