"""Columns of a list: which fit, and how wide each becomes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, Literal, TypeVar

from engine.contracts.values import dataclass
from rivus_tui.format import Cell

Row = TypeVar("Row")

GAP: Final = 1
"""Blank cells between two columns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column(Generic[Row]):
    """One column."""

    title: str
    width: int
    """Terminal cells; for a column that grows, the least it may have."""
    show: Callable[[Row, int], Cell]
    """What to show of a row; the second argument is the time now, ms UTC."""
    align: Literal["left", "right"] = "left"
    grow: int = 0
    """Share of the room that is left; 0: always `width`."""
    drop: int = 0
    """Columns with the highest number go first when there is no room; 0 never goes."""


def lay_out(columns: Sequence[Column[Row]], width: int) -> list[tuple[Column[Row], int]]:
    """Return the columns that fit into `width` cells, in order, each with its width; growing ones share the rest."""
    kept = list(columns)

    def needed() -> int:
        return sum(column.width + GAP for column in kept) - GAP

    while needed() > width and any(column.drop for column in kept):
        kept.remove(max(kept, key=lambda column: column.drop))
    room = width - needed()
    shares = sum(column.grow for column in kept)
    if shares == 0:
        return [(column, column.width) for column in kept]
    last = max(index for index, column in enumerate(kept) if column.grow)
    laid: list[tuple[Column[Row], int]] = []
    given = 0
    for index, column in enumerate(kept):
        extra = room - given if index == last else int(room * column.grow / shares)
        if column.grow == 0:
            extra = 0
        given += extra
        laid.append((column, max(column.width + extra, 1)))
    return laid
