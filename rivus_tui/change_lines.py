"""The change that an agent has left, as lines to read before it is accepted: from the diff beside its result."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from engine.contracts.view import ArtifactView, ItemStageView
from rivus_tui.format import Cell, Line, fit_line, literal
from rivus_tui.theme import Role

_DIFF: Final = "text/x-diff"
_BYTES: Final = 400_000
_LINES: Final = 2_000
_ROLES: Final[tuple[tuple[str, Role], ...]] = (
    ("diff --git", "head"), ("+++", "muted"), ("---", "muted"), ("@@", "wait"), ("+", "ok"), ("-", "bad"),
)  # fmt: skip
"""What a line begins with, and how it looks; the first that fits."""


def change_of(stages: Sequence[ItemStageView], chosen: int) -> ArtifactView | None:
    """Return the diff of a stage, or, while that waits for a person, the newest of those before it; None if none."""
    stage = stages[chosen]
    looked = [stage, *reversed(stages[:chosen])] if stage.state == "waiting" else [stage]
    for one in looked:
        for artifact in one.artifacts:
            if artifact.type == _DIFF:
                return artifact
    return None


def change_lines(artifact: ArtifactView, width: int) -> list[Line]:
    """Return the diff's lines; what cannot be read, and what is too long, is said."""
    try:
        shown, more = _read(artifact.path, artifact.size)
    except OSError as error:
        return [fit_line([Cell(f"its change cannot be read: {error.strerror}", "bad")], width)]
    lines = [fit_line([literal(text, _role(text))], width) for text in shown]
    return [*lines, (Cell(f"… more in {Path(artifact.path).name}", "muted"),)] if more else lines


def _role(text: str) -> Role:
    return next((role for begin, role in _ROLES if text.startswith(begin)), "")


@lru_cache(maxsize=4)
def _read(path: str, size: int) -> tuple[tuple[str, ...], bool]:
    """The first lines of a file, and whether there are more; `size` tells a new file under the same name apart."""
    with Path(path).open("rb") as file:
        text = file.read(_BYTES).decode("utf-8", "replace")
    lines = text.split("\n")
    return tuple(lines[:_LINES]), size > _BYTES or len(lines) > _LINES
