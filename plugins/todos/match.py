"""Which TODO of a new scan is which TODO of the one before.

Neither line nor text is identity: files are edited above an item, items are reworded, ticked, moved and doubled.
Matching goes in tiers, each only over what the one before left, so that a sure pair is never given up for a likely one.
The order and the idea of evidence from kept neighbours follow SonarQube's issue tracker (Tracker, BlockRecognizer).

`1` same text, parent and headings; `2` same text and headings; `3` same text in the file; `3b` the same text in
another file, if it vanished from its own; `4` much alike; `5` alike, between the same neighbours; `6` alike, one
neighbour kept; `7` one text contains the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from plugins.todos.alike import agree, contains, likeness, numbers, opens, overlap, rarity
from plugins.todos.near import Near, Rivals, is_other, tier_of
from plugins.todos.sides import Side, Spot, moved_files

EXACT: Final = frozenset({"1", "2", "3", "3b"})
"""Tiers of items whose text is the same."""

_CANDIDATES: Final = 8
"""Pairs looked at per old item; keeps the work linear where thousands of items are unmatched."""
_LARGEST: Final = 1_000_000
"""Unmatched old times unmatched new items; beyond that only those in the same place are compared."""
_CROWD: Final = 10_000
"""Equal old times equal new texts; beyond that only their order tells them apart."""
_NARROW: Final = 36
"""Old times new items between two kept neighbours; in a wider gap, being in the same one says less."""
_WIDE: Final = 2_500
"""The same; beyond it, it says nothing."""
_ROUNDS: Final = 6
"""Each round of near matches gives the next one more kept neighbours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two spots that are one item."""

    old: int
    """Index in the old sequence."""
    new: int
    tier: str
    """`1` to `7`, `3b` for a move between files."""
    score: float
    """Likeness of the texts, 0 to 100."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matching:
    """What became of the old items, and which ones are new; indices into the given sequences."""

    pairs: tuple[Pair, ...]
    new: tuple[int, ...]
    gone: tuple[int, ...]


def match(old: Sequence[Spot], new: Sequence[Spot]) -> Matching:
    """Match two scans; both in any order, the result is the same for the same spots."""
    return _Matcher(old, new).run()


class _Matcher:
    def __init__(self, old: Sequence[Spot], new: Sequence[Spot]) -> None:
        self._old = Side.of(old, moved_files(old, new))
        self._new = Side.of(new, {})
        self._weights = rarity((*self._old.texts, *self._new.texts))
        self._pairs: list[Pair] = []

    def run(self) -> Matching:
        self._equal("1", lambda side, i: (side.files[i], side.texts[i], side.parents[i], side.headings[i]))
        self._equal("2", lambda side, i: (side.files[i], side.texts[i], side.headings[i]))
        self._equal("3", lambda side, i: (side.files[i], side.texts[i]), keeps_place=True)
        self._between_files()
        for _ in range(_ROUNDS):
            if not self._near():
                break
        self._pairs.sort(key=lambda pair: self._new.rank[pair.new])
        return Matching(pairs=tuple(self._pairs), new=tuple(self._new.left()), gone=tuple(self._old.left()))

    def _pair(self, old: int, new: int, tier: str, score: float) -> None:
        self._old.partner[old] = new
        self._new.partner[new] = old
        self._pairs.append(Pair(old=old, new=new, tier=tier, score=round(score, 1)))

    def _equal(self, tier: str, key: Callable[[Side, int], Hashable], *, keeps_place: bool = False) -> None:
        groups: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for position, side in enumerate((self._old, self._new)):
            for index in side.left():
                groups[key(side, index)][position].append(index)
        for olds, news in groups.values():
            if not olds or not news:
                continue
            if len(olds) == len(news) and not keeps_place:
                for old, new in zip(olds, news, strict=True):
                    self._pair(old, new, tier, 100.0)
                continue
            for old, new in self._by_neighbours(olds, news):
                several = len(olds) > 1 or len(news) > 1
                if keeps_place and several and not self._same_place(old, new):
                    continue
                self._pair(old, new, tier, 100.0)

    def _by_neighbours(self, olds: list[int], news: list[int]) -> Iterable[tuple[int, int]]:
        """Pair equal texts: those with the most equal texts around first, then in document order."""
        if len(olds) * len(news) > _CROWD:
            yield from zip(olds, news, strict=False)
            return
        ranked = sorted(
            (-self._around(old, new), abs(first - second), first, old, new)
            for first, old in enumerate(olds)
            for second, new in enumerate(news)
        )
        used_old: set[int] = set()
        used_new: set[int] = set()
        for *_, old, new in ranked:
            if old not in used_old and new not in used_new:
                used_old.add(old)
                used_new.add(new)
                yield old, new

    def _around(self, old: int, new: int) -> int:
        same = 0
        for step in (-1, 1):
            before, after = self._old.beside(old, step), self._new.beside(new, step)
            if before is None or after is None:
                same += before is after
            else:
                same += 2 * (self._old.texts[before] == self._new.texts[after])
        mine, theirs = set(self._old.headings[old]), set(self._new.headings[new])
        return same + 2 * len(mine & theirs) + 2 * (self._old.parents[old] == self._new.parents[new] != "")

    def _same_place(self, old: int, new: int) -> bool:
        """A text that stands in the file several times is only the same item where something around it is too."""
        if self._old.headings[old][-1:] == self._new.headings[new][-1:]:
            return True
        if self._old.parents[old] and self._old.parents[old] == self._new.parents[new]:
            return True
        return any(self._kept(old, new, step) for step in (-1, 1))

    def _kept(self, old: int, new: int, step: int) -> bool:
        before, after = self._old.beside(old, step), self._new.beside(new, step)
        return before is not None and self._old.partner.get(before) == after and after is not None

    def _between_files(self) -> None:
        olds, news = defaultdict(list), defaultdict(list)
        for index in self._old.left():
            olds[self._old.texts[index]].append(index)
        for index in self._new.left():
            news[self._new.texts[index]].append(index)
        for text, here in olds.items():
            there = news.get(text, [])
            elsewhere = len(here) == len(there) == 1 and self._old.files[here[0]] != self._new.files[there[0]]
            if elsewhere and len(text) >= 8 and len(text.split()) >= 2:
                self._pair(here[0], there[0], "3b", 100.0)

    def _near(self) -> bool:
        """One round of near matches, best first; False when nothing more was found."""
        near = self._candidates()
        best_old, best_new = Rivals(), Rivals()
        for pair in near:
            best_old.add(pair.old, pair.strength)
            best_new.add(pair.new, pair.strength)
        ranked = []
        for pair in near:
            rival = max(best_old.rival(pair.old, pair.strength), best_new.rival(pair.new, pair.strength))
            tier = tier_of(pair, pair.strength - rival)
            if tier is not None:
                ranked.append((pair.rank, tier, pair))
        ranked.sort(key=lambda entry: entry[0])
        changed = False
        for _, tier, pair in ranked:
            if pair.old not in self._old.partner and pair.new not in self._new.partner:
                self._pair(pair.old, pair.new, tier, pair.score)
                changed = True
        return changed

    def _candidates(self) -> list[Near]:
        old_ends, new_ends = self._old.anchors(), self._new.anchors()
        old_gaps = {index: self._old_gap(index, ends) for index, ends in old_ends.items()}
        new_gaps = {index: (self._new.files[index], *ends) for index, ends in new_ends.items()}
        in_old, in_new = Counter(old_gaps.values()), Counter(new_gaps.values())
        anywhere = len(old_gaps) * len(new_gaps) <= _LARGEST
        texts: dict[str, dict[int, str]] = defaultdict(dict)
        members: dict[Hashable, list[int]] = defaultdict(list)
        for new, gap in new_gaps.items():
            if anywhere:
                texts[self._new.files[new]][new] = self._new.texts[new]
            members[gap].append(new)
        near: list[Near] = []
        for old, gap in old_gaps.items():
            choices = texts.get(self._old.files[old], {})
            alike = [
                new
                for scorer, cutoff in ((fuzz.token_sort_ratio, 35.0), (fuzz.partial_ratio, 95.0))
                for *_, new in process.extract(
                    self._old.texts[old], choices, scorer=scorer, limit=_CANDIDATES, score_cutoff=cutoff
                )
            ]
            for new in sorted({*alike, *members[gap][: 2 * _CANDIDATES]}):
                here = new_gaps[new]
                crowd = in_old[gap] * in_new[here]
                if gap == here:
                    sides = 2 if crowd <= _NARROW else 1 if crowd <= _WIDE else 0
                else:
                    sides = (gap[1] == here[1] is not None) + (gap[2] == here[2] is not None)
                pair = self._compare(old, new, sides, alone=gap == here and crowd == 1)
                if pair is not None:
                    near.append(pair)
        return near

    def _old_gap(self, index: int, ends: tuple[int | None, int | None]) -> tuple[str, int | None, int | None]:
        """The nearest matched neighbours of an old item, named by their new indices."""
        above, below = (None if end is None else self._old.partner[end] for end in ends)
        return self._old.files[index], above, below

    def _compare(self, old: int, new: int, sides: int, *, alone: bool) -> Near | None:
        left, right = self._old.texts[old], self._new.texts[new]
        if is_other(left, right, stayed=sides == 2) or (left == right and not sides and not self._same_place(old, new)):
            return None
        words = overlap(left, right, self._weights)
        score = likeness(left, right, words)
        same_section = self._old.headings[old] == self._new.headings[new]
        same_parent = self._old.parents[old] == self._new.parents[new]
        return Near(
            old=old,
            new=new,
            score=score,
            cover=words.shorter,
            sides=sides,
            alone=alone,
            same_section=same_section,
            same_numbers=agree(numbers(left), numbers(right)),
            contained=contains(left, right),
            rank=(
                -(score + 6.0 * sides + 3.0 * same_section + 2.0 * same_parent + 20.0 * opens(left, right)),
                abs(self._old.rank[old] - self._new.rank[new]),
                self._old.rank[old],
                self._new.rank[new],
            ),
        )
