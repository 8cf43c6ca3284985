"""How the TODO files of a repository went: every revision matched with the one before, as a scan would have done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from engine.contracts.errors import UseError
from engine.kit.git import git, read_log
from engine.kit.safe_text import safe_line
from plugins.todos.commands import spots
from plugins.todos.items import TodoItem
from plugins.todos.match import EXACT, match
from plugins.todos.places import is_todo_file
from plugins.todos.texts import items_of

_TIMEOUT_S: Final = 120.0
_LARGEST: Final = 1_000_000
"""Bytes of a file; a larger one is no list that a person keeps."""
_LINK: Final = "120000"


@dataclass(frozen=True, slots=True)
class _Revision:
    commit: str
    at: int
    """s UTC."""
    changed: Mapping[str, str | None]
    """Files of this revision that are others than before: their blobs; None: it is gone."""


def history_rows(repository: Path) -> Iterator[dict[str, Any]]:
    """Yield a row for each revision that changed a TODO file, oldest first; UseError where there is no history.

    `kept`: same text; `edited`: reworded (`edits` has both texts, tier and score); `ticked`: of these, closed in this
    revision; `new`, `gone`; `open`: what was open then.
    """
    files: dict[str, Sequence[TodoItem]] = {}
    before: list[TodoItem] = []
    revisions = _revisions(repository)
    texts = _texts(repository, {blob for one in revisions for blob in one.changed.values() if blob is not None})
    for revision in revisions:
        for path, blob in revision.changed.items():
            files.pop(path, None)
            if blob is not None and blob in texts:
                files[path] = items_of(texts[blob], path, name=safe_line(path))
        after = [item for path in sorted(files) for item in files[path]]
        found = match(spots(before), spots(after))
        edited = [pair for pair in found.pairs if pair.tier not in EXACT]
        yield {
            "commit": revision.commit,
            "at": revision.at,
            "kept": len(found.pairs) - len(edited),
            "edited": len(edited),
            "ticked": sum(before[pair.old].is_open and not after[pair.new].is_open for pair in found.pairs),
            "new": len(found.new),
            "gone": len(found.gone),
            "open": sum(item.is_open for item in after),
            "edits": [
                {
                    "old": before[pair.old].text,
                    "new": after[pair.new].text,
                    "tier": pair.tier,
                    "score": pair.score,
                }
                for pair in edited
            ],
        }
        before = after


def _revisions(repository: Path) -> list[_Revision]:
    told = git(
        repository, "log", "--reverse", "--first-parent", "-m", "--raw", "--no-renames", "--no-abbrev", "-z",
        "--format=/%H %at", "--", ":(icase)*todo*", timeout_s=_TIMEOUT_S,
    )  # fmt: skip
    if not told.ok:
        raise UseError(f"{repository}: {safe_line(told.error, 200)}")
    return list(read_revisions(told.out))


def read_revisions(out: bytes) -> Iterator[_Revision]:
    """What `git log -z --raw --format="/%H %at"` says of TODO files."""
    for entry, fields in read_log(out.decode("utf-8", "surrogateescape")):
        commit, _, at = entry.partition(" ")
        changed: dict[str, str | None] = {}
        for field, path in pairwise(fields):
            words = field.split(" ")
            if len(words) == 5 and words[0].startswith(":") and is_todo_file(path):
                there = words[1] not in ("000000", _LINK)
                changed[path] = words[3] if there else None
        if changed:
            yield _Revision(commit, int(at), changed)


def _texts(repository: Path, blobs: set[str]) -> dict[str, str]:
    """Texts of blobs; those that are too large, or no text, are left out."""
    told = git(repository, "cat-file", "--batch", stdin="\n".join(sorted(blobs)).encode(), timeout_s=_TIMEOUT_S)
    return read_objects(told.out)


def read_objects(out: bytes) -> dict[str, str]:
    """What `git cat-file --batch` says: name → text."""
    texts: dict[str, str] = {}
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        name, *rest = out[at:end].decode().split(" ")
        at = end + 1
        if len(rest) != 2:  # missing
            continue
        size = int(rest[1])
        body, at = out[at : at + size], at + size + 1
        if size <= _LARGEST and b"\0" not in body:
            texts[name] = body.decode("utf-8", "replace")
    return texts
