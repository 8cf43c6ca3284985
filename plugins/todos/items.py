"""One TODO as it stands in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from engine.contracts.item import Confidence, Priority

TodoState = Literal["open", "done", "partial", "paused", "dropped"]
"""`partial` and `paused` count as open; `done` and `dropped` are closed."""

TodoKind = Literal["checkbox", "bullet", "ordered", "heading", "paragraph", "comment"]

OPEN_STATES: Final[frozenset[TodoState]] = frozenset({"open", "partial", "paused"})


@dataclass(frozen=True, kw_only=True, slots=True)
class TodoItem:
    """One item of a TODO file."""

    file: str
    """Relative to the folder that was scanned, with `/`."""
    line: int
    """1-based line where it starts."""
    end_line: int
    """Last line that belongs to it, what is nested below it included."""
    text: str
    """One line for people: without box, state mark and bold; cleaned."""
    state: TodoState
    kind: TodoKind
    """`checkbox` for any list item with a box."""
    parent_line: int | None
    """Line of the list item it is nested below, be that an item or only a group; None at the outer level."""
    headings: tuple[str, ...]
    """Heading path, outermost first, without state marks."""
    priority: Priority | None
    """Only what the text or a heading says; None otherwise."""
    confidence: Confidence
    """`high`: it has a box. `medium`: structure says so. `low`: it may be prose."""
    parent: str
    """Text of that list item; empty at the outer level."""
    raw: str
    """The first paragraph as written, on one line; cleaned."""
    tags: tuple[str, ...] = ()
    """`#tag` and `@name` words, with their sign."""

    @property
    def is_open(self) -> bool:
        """Whether something is left to do."""
        return self.state in OPEN_STATES
