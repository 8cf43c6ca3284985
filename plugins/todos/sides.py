"""One scan as matching sees it: its items in document order, and which of them have found their partner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from plugins.todos.alike import normalise

_MOVED_FILE: Final = 0.5
"""Share of equal texts from which a file that vanished and one that appeared are one file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """One item as matching sees it."""

    file: str
    line: int
    text: str
    parent: str = ""
    """Text of the list item it is nested below; empty at the outer level or when not known."""
    headings: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Side:
    """One scan, with what is asked of it again and again."""

    spots: Sequence[Spot]
    texts: list[str]
    parents: list[str]
    headings: list[tuple[str, ...]]
    files: list[str]
    order: list[int]
    """Indices in document order."""
    rank: list[int]
    """Place of each index in `order`."""
    partner: dict[int, int]

    @classmethod
    def of(cls, spots: Sequence[Spot], renamed: Mapping[str, str]) -> Side:
        files = [renamed.get(spot.file, spot.file) for spot in spots]
        order = sorted(range(len(spots)), key=lambda index: (files[index], spots[index].line, index))
        rank = [0] * len(spots)
        for place, index in enumerate(order):
            rank[index] = place
        return cls(
            spots=spots,
            texts=[normalise(spot.text) for spot in spots],
            parents=[normalise(spot.parent) if spot.parent else "" for spot in spots],
            headings=[tuple(normalise(heading) for heading in spot.headings) for spot in spots],
            files=files,
            order=order,
            rank=rank,
            partner={},
        )

    def left(self) -> list[int]:
        return [index for index in self.order if index not in self.partner]

    def beside(self, index: int, step: int) -> int | None:
        """The item right before (-1) or after (1) it in its file."""
        place = self.rank[index] + step
        if not 0 <= place < len(self.order):
            return None
        other = self.order[place]
        return other if self.files[other] == self.files[index] else None

    def anchors(self) -> dict[int, tuple[int | None, int | None]]:
        """For each unmatched item, the nearest matched ones above and below in its file."""
        above: dict[int, int | None] = {}
        below: dict[int, int | None] = {}
        for order, found in ((self.order, above), (self.order[::-1], below)):
            file, last = None, None
            for index in order:
                if self.files[index] != file:
                    file, last = self.files[index], None
                if index in self.partner:
                    last = index
                else:
                    found[index] = last
        return {index: (above[index], below[index]) for index in above}


def moved_files(old: Sequence[Spot], new: Sequence[Spot]) -> dict[str, str]:
    """Old name to new name for files that vanished and reappeared under another name with much the same items."""
    before: dict[str, set[str]] = defaultdict(set)
    after: dict[str, set[str]] = defaultdict(set)
    for spot in old:
        before[spot.file].add(normalise(spot.text))
    for spot in new:
        after[spot.file].add(normalise(spot.text))
    renamed: dict[str, str] = {}
    gone, come = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    shares = sorted(
        (-len(before[source] & after[target]) / min(len(before[source]), len(after[target])), source, target)
        for source in gone
        for target in come
    )
    for share, source, target in shares:
        if -share >= _MOVED_FILE and source not in renamed and target not in renamed.values():
            renamed[source] = target
    return renamed
