"""When two texts that differ are one item: what they say and where they stand, weighed together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

from plugins.todos.alike import stem, words_of
from plugins.todos.wording import FUNCTION_WORDS, is_verb

_ALIKE: Final = 85.0
"""Likeness at which place does not matter."""
_DISTINCT: Final = 68.0
"""The same, where no other item comes near."""
_LEAD: Final = 15.0
"""How much likelier than any rival makes a pair distinct."""
_LONELY: Final = 58.0
_FAR: Final = 35.0
"""The same, where nothing else is like either of the two at all."""
_ONE_SIDE: Final = 62.0
_BOTH_SIDES: Final = 50.0
_REPLACED: Final = 38.0
"""One old and one new item between the same kept neighbours."""
_AT_LEAST: Final = 25.0
"""Less says nothing, even in the same place: one word of a long sentence."""
_SHORT: Final = 3
"""Words of a text in which each is telling."""
_FRAME: Final = 8
"""Words of a text that may be a frame for others of its kind (`Add support for …`)."""
_COVERS: Final = 45.0
"""Share of the shorter text's telling words that makes a rewording of an item that stayed in its place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Near:
    """A pair that may be one item, with the evidence."""

    old: int
    new: int
    score: float
    cover: float
    """Weighted share of the shorter text's words that the longer has too, 0 to 100."""
    sides: int
    """How many of the nearest matched neighbours, above and below, are the same."""
    alone: bool
    """The only old and the only new item between the same neighbours."""
    same_section: bool
    same_numbers: bool
    contained: bool
    rank: tuple[float, int, int, int]
    """Sorts the best evidence first; the rest makes the order certain."""

    @property
    def strength(self) -> float:
        """What the texts alone say."""
        return (self.score + self.cover) / 2


class Rivals:
    """The two highest scores of each item."""

    def __init__(self) -> None:
        self._top: dict[int, tuple[float, float]] = {}

    def add(self, index: int, score: float) -> None:
        first, second = self._top.get(index, (0.0, 0.0))
        self._top[index] = (score, first) if score > first else (first, max(second, score))

    def rival(self, index: int, score: float) -> float:
        """The highest score but this one."""
        first, second = self._top[index]
        return second if score == first else first


def tier_of(pair: Near, lead: float) -> str | None:
    """Decide by text and place together: the less the place says, the more the text must.

    `lead`: by how much its strength exceeds that of every other pair that either of the two is in.
    """
    distinct = lead >= _LEAD
    if pair.alone and (pair.score >= _REPLACED or (pair.score >= _AT_LEAST and pair.cover >= _COVERS)):
        return "5"
    if not pair.same_numbers and pair.sides < 2:
        return None
    if pair.score >= _ALIKE or (distinct and pair.score >= _DISTINCT) or (lead >= _FAR and pair.score >= _LONELY):
        return "4"
    covered = distinct and pair.cover >= _COVERS and (pair.score >= _AT_LEAST or pair.contained)
    if pair.sides == 2 and (pair.score >= _BOTH_SIDES or covered):
        return "5"
    reworded = distinct and (pair.score >= _BOTH_SIDES or (pair.score >= _REPLACED and pair.cover >= _COVERS))
    if pair.sides and pair.same_section and (pair.score >= _ONE_SIDE or reworded):
        return "6"
    if pair.contained and (pair.sides or pair.same_section or distinct):
        return "7"
    return None


def is_other(left: str, right: str, *, stayed: bool) -> bool:
    """Texts that have one word in place of another are two tasks (`Horizontal slider`, `Vertical slider`).

    Longer ones only if they have not `stayed` between the same neighbours, where it is mostly a better word, and if
    both words are telling.
    """
    mine, theirs = list(words_of(left)), list(words_of(right))
    if len(mine) != len(theirs) or len(mine) > (_SHORT if stayed else _FRAME):
        return False
    pairs = [(one, two) for one, two in zip(mine, theirs, strict=True) if stem(one) != stem(two)]
    if len(pairs) != 1 or (len(mine) > _SHORT and not all(map(_is_telling, pairs[0]))):
        return False
    one, two = map(stem, pairs[0])
    is_short_form = min(len(one), len(two)) >= 4 and (one in two or two in one)
    return not is_short_form and fuzz.ratio(one, two) < 70.0


def _is_telling(word: str) -> bool:
    return word not in FUNCTION_WORDS and not is_verb(word)
