"""Which documents of the project a document links to."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_DOCUMENT: Final = re.compile(r"\.(?:md|markdown|mdx|mdown|rst|rest|txt|adoc)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkedDocument:
    """A document that another one links to."""

    path: str
    """Relative to the project's root."""
    exists: bool


def linked_documents(root: Path, path: str, targets: Iterable[str]) -> list[LinkedDocument]:
    """Return the documents below `root` that `targets`, as written in the document `path`, lead to; each once, sorted.

    A target that starts with `/` is taken from the folder of the git repository that holds the document, as forges do.
    Targets that leave the project, and files that are no documents, are left out.
    """
    found: set[str] = set()
    for target in targets:
        plain = unquote(target.partition("#")[0].partition("?")[0])
        if not plain or _SCHEME.match(plain) or "\0" in plain or not _DOCUMENT.search(plain):
            continue
        start = _repository(root, path) if plain.startswith("/") else posixpath.dirname(path)
        inside = posixpath.normpath(posixpath.join(start, plain.lstrip("/")))
        if not inside.startswith("..") and inside != path:
            found.add(inside)
    return [LinkedDocument(path=one, exists=_exists(root / one)) for one in sorted(found)]


def _repository(root: Path, path: str) -> str:
    folder = posixpath.dirname(path)
    while folder and not os.path.lexists(root / folder / ".git"):
        folder = posixpath.dirname(folder)
    return folder


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:
        return False
