"""Where a list gets its rows: counted, anchored every few hundred rows, read a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from engine.contracts.api import Reader
from engine.contracts.filter import Term
from engine.contracts.view import ItemQuery, ItemView

Row = TypeVar("Row")
Anchor = tuple[Any, ...]

ItemKey = tuple[str, str]
"""Job and key: what an item is called, wherever it stands in a list."""


class RowSource(Protocol[Row]):
    """Rows in one order."""

    def key(self, row: Row) -> Hashable:
        """What the row is called; stays the same while the row moves."""
        ...

    def count(self) -> int: ...
    def is_quick(self) -> bool:
        """Whether counting and reading take no longer than a key may wait; else both are done in a thread."""
        ...

    def give_up(self) -> None:
        """End the counting that goes on in a thread."""
        ...

    def anchors(self, step: int) -> Sequence[Anchor]:
        """Starts of the rows 0, step, 2·step, …; may take long, and is then called in a thread."""
        ...

    def page(self, start: Anchor | None, limit: int) -> Sequence[Row]:
        """Rows from `start` on; None: from the first."""
        ...

    def still(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Those of some rows that are in the list still, as they are now."""
        ...


class ItemSource:
    """Items that match a query."""

    def __init__(self, reader: Reader, query: ItemQuery) -> None:
        self._reader = reader
        self.query = query

    def key(self, row: ItemView) -> ItemKey:
        return item_key(row)

    def count(self) -> int:
        return self._reader.items_count(self.query)

    def is_quick(self) -> bool:
        return self._reader.items_counted(self.query)

    def give_up(self) -> None:
        self._reader.give_up()

    def anchors(self, step: int) -> Sequence[Anchor]:
        return self._reader.items_anchors(self.query, step)

    def page(self, start: Anchor | None, limit: int) -> Sequence[ItemView]:
        return self._reader.items_page(self.query, start, limit)

    def still(self, rows: Sequence[ItemView]) -> Sequence[ItemView]:
        these = Term(field="id", values=tuple(str(row.id) for row in rows))
        return self._reader.items_page(replace(self.query, terms=(*self.query.terms, these)), None, len(rows))


class ListSource(Generic[Row]):
    """Rows that are in memory already: a few jobs."""

    def __init__(self, rows: Sequence[Row], key: Callable[[Row], Hashable]) -> None:
        self.rows = rows
        self._key = key

    def key(self, row: Row) -> Hashable:
        return self._key(row)

    def count(self) -> int:
        return len(self.rows)

    def is_quick(self) -> bool:
        return True

    def give_up(self) -> None:
        """Nothing takes long."""

    def anchors(self, step: int) -> Sequence[Anchor]:
        return [(index,) for index in range(0, len(self.rows), step)]

    def page(self, start: Anchor | None, limit: int) -> Sequence[Row]:
        first = 0 if start is None else int(start[0])
        return self.rows[first : first + limit]

    def still(self, rows: Sequence[Row]) -> Sequence[Row]:
        keys = {self._key(row) for row in rows}
        return [row for row in self.rows if self._key(row) in keys]


def item_key(item: ItemView) -> ItemKey:
    """Return what an item is called in every list."""
    return (item.job, item.key)
