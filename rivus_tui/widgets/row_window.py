"""The rows of a list that are in memory: some chunks around what is shown, and anchors to read any other from."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_block
from rivus_tui.sources import Anchor, RowSource

log = logging.getLogger("rivus.tui")

Row = TypeVar("Row")

PAGE: Final = 200
"""Rows between two anchors, and the most that are read at once."""
CHUNK: Final = 50
"""Rows kept together. The first of a page are read alone: that is all that most screens show, at every change."""
_CHUNKS_KEPT: Final = 24
_INLINE_ROWS: Final = 2_000
"""Up to so many rows the anchors are read at once; above, in a thread."""
_SEARCH: Final = 3 * PAGE // CHUNK
"""How many chunks to each side a record that moved is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass(Generic[Row]):
    """What one pass over all rows of a source found."""

    total: int
    anchors: Sequence[Anchor]
    first: Sequence[Row]


class RowWindow(Generic[Row]):
    """Reads rows by their number."""

    def __init__(self, source: RowSource[Row], unread: Callable[[str], None]) -> None:
        """`unread` is told why a page cannot be read."""
        self.source = source
        self.total = 0
        """Rows in the source when it was last counted."""
        self._unread = unread
        self._anchors: Sequence[Anchor] = ()
        self._chunks: OrderedDict[int, Sequence[Row]] = OrderedDict()

    def begin(self, source: RowSource[Row]) -> None:
        """Forget everything and read from another source."""
        self.source = source
        self.total = 0
        self._anchors = ()
        self._chunks.clear()

    def refresh(self) -> bool:
        """Count again and forget pages; False: what is left takes a pass over all rows, in a thread."""
        if not self.source.is_quick():
            return False
        self.total = self.source.count()
        self._chunks.clear()
        if self.total > _INLINE_ROWS:
            return False
        self._anchors = self.source.anchors(PAGE)
        return True

    def pass_over(self) -> Pass[Row]:
        """Look at all rows; may take long, and is called in a thread."""
        source = self.source
        if source.is_quick():
            return Pass(total=source.count(), anchors=source.anchors(PAGE), first=())
        anchors = source.anchors(PAGE)
        if not anchors:
            return Pass(total=0, anchors=(), first=())
        # Where the last page begins is known, so that nothing has to be looked at once more to count.
        last = source.page(anchors[-1], PAGE)
        first = last if len(anchors) == 1 else source.page(anchors[0], PAGE)
        return Pass(total=(len(anchors) - 1) * PAGE + len(last), anchors=anchors, first=first)

    def take(self, found: Pass[Row]) -> None:
        """Use what a pass has found."""
        self.total = found.total
        self._anchors = found.anchors
        self._chunks.clear()
        self._keep(0, found.first)

    def row_at(self, index: int) -> Row | None:
        """Return the row at an index; None where there is none or where it is not read yet."""
        if not 0 <= index < self.total:
            return None
        number, at = divmod(index, CHUNK)
        rows = self._chunk(number)
        return rows[at] if at < len(rows) else None

    def find(self, key: Hashable | None, near: int) -> int | None:
        """Return the index of a record that was at `near`; None when it is not around there."""
        if key is None:
            return None
        middle = near // CHUNK
        numbers = [middle]
        for step in range(1, _SEARCH + 1):
            numbers += [middle - step, middle + step]
        if 0 not in numbers:
            numbers.append(0)
        for number in numbers:
            if number < 0 or number * CHUNK >= self.total:
                continue
            for at, row in enumerate(self._chunk(number)):
                if self.source.key(row) == key:
                    return number * CHUNK + at
        return None

    def _chunk(self, number: int) -> Sequence[Row]:
        if number in self._chunks:
            self._chunks.move_to_end(number)
            return self._chunks[number]
        anchor, skipped = divmod(number * CHUNK, PAGE)
        if anchor and anchor >= len(self._anchors):
            return ()
        try:
            page = self.source.page(self._anchors[anchor] if anchor else None, PAGE if skipped else CHUNK)
        except Exception as error:
            # Rows are read while keys move the cursor and while lines are drawn: nothing may end there.
            log.exception("reading a page of a list failed")
            self._unread(safe_block(str(error) or type(error).__name__, 200))
            page = ()
        self._keep(anchor * PAGE // CHUNK, page)
        rows = page[skipped : skipped + CHUNK]
        self._chunks[number] = rows
        self._chunks.move_to_end(number)
        while len(self._chunks) > _CHUNKS_KEPT:
            self._chunks.popitem(last=False)
        return rows

    def _keep(self, number: int, rows: Sequence[Row]) -> None:
        """Keep rows that begin with a chunk."""
        for at in range(0, len(rows), CHUNK):
            self._chunks[number + at // CHUNK] = rows[at : at + CHUNK]
