"""Path patterns: `**`, `*`, `?` and `[…]` on paths with `/`, compiled once into one regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterable


def matcher(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return an expression whose `fullmatch` accepts a relative path that any of the patterns accepts.

    As in ignore files, a pattern without `/` (other than at its end) matches a name in any folder, and a pattern that
    names a folder takes in everything below it. `**/` stands for any number of folders, none included.
    """
    return re.compile("|".join(_expression(pattern) for pattern in patterns) or r"(?!)")


def _expression(pattern: str) -> str:
    folder_only = pattern.endswith("/")
    anchored = "/" in pattern.rstrip("/")
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if not anchored:
        parts.insert(0, "**")
    out: list[str] = []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            out.append(".*" if last else "(?:[^/]+/)*")
        else:
            out.append(_name(part) + ("" if last else "/"))
    below = "/.*" if folder_only else "(?:/.*)?"
    return "".join(out) + ("" if parts and parts[-1] == "**" else below)


def _name(part: str) -> str:
    out: list[str] = []
    position = 0
    while position < len(part):
        char = part[position]
        position += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[" and (end := part.find("]", position + 1)) > 0:
            inner = part[position:end].replace("\\", "\\\\").replace("[", "\\[")
            if inner[0] in "!^":
                inner = "^/" + inner[1:]
            out.append(f"[{inner}]")
            position = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)
