"""Anchors of headings, as GitHub makes them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

_DROPPED: Final = re.compile(r"[^\w\- ]")


class Slugs:
    """Slugs of one document, in the order of its headings: the second of the same name gets `-1`, and so on.

    The rule is that of GitHub's TableOfContentsFilter (html-pipeline): lower case, everything but letters, digits,
    `_`, `-` and space dropped, each space a hyphen.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def add(self, text: str) -> str:
        """Return the slug of the next heading."""
        slug = _DROPPED.sub("", text.strip().lower()).replace(" ", "-")
        number = self._seen.get(slug)
        self._seen[slug] = 0 if number is None else number + 1
        return slug if number is None else f"{slug}-{number + 1}"


def folded(anchor: str) -> str:
    """Return letters and digits only, lower case.

    Renderers differ in how they treat signs, emoji and repeated hyphens. Anchors are compared folded, so that only one
    that no renderer would give is called broken.
    """
    return "".join(char for char in unquote(anchor).lower() if char.isalnum())
