"""How alike two TODO texts are, once everything that does not make the task is taken off."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from rapidfuzz import fuzz

from plugins.todos.marks import read_marks
from plugins.todos.wording import FUNCTION_WORDS, count_words, is_verb

_STATUS: Final = re.compile(
    r"\**[\[(](?:x|complete|completed|done|wip|in progress|todo|partial|paused|blocked|optional|new|\d+ ?%)[\])]\**",
    re.I,
)
_NUMBERING: Final = re.compile(
    r"^\W*(?:(?:step|task|phase|item|part|todo)\s+)?(?:\d+(?:\.\d+)*\s*[.):\-]+|\d+(?:\.\d+)+)\s+", re.I
)
_STEP: Final = re.compile(r"^\W*(?:step|task|phase|item|part)\s+[\w.]{1,6}\s*[:.)\-–—]\s*", re.I)
_URGENCY: Final = re.compile(r"^\W*P[0-3]\b\W*(?=\w)|\s*[(\[]P[0-3][)\]]\s*$", re.I)
"""A priority in front or at the end: it may change, and the task stays what it is."""
_SIGNS: Final = re.compile(r"[*_`~\"“”‘’]+|[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f\u200d]+")
_WORD: Final = re.compile(r"[^\W_]+(?:[.'’\-][^\W_]+)*")
_ENDINGS: Final = ("ations", "ation", "ions", "ion", "ings", "ing", "ied", "ies", "ed", "es", "s", "e")
_NUMBER: Final = re.compile(r"(?<![^\W\d_])\d+(?:\.\d+)*|\d+(?:\.\d+)*(?![^\W\d_])")
"""Not what stands inside a word, as in `i18n`."""
_UNSPACED: Final = re.compile("([\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+)")
"""Scripts that put no blank between words."""
_HIRAGANA: Final = re.compile("[\u3040-\u309f]+")
"""In Japanese mostly endings and particles."""
_RUN: Final = re.compile(
    "[\u3040-\u309f]+|[\u30a0-\u30ff]+|[\u0e00-\u0eff\u3400-\u9fff\uf900-\ufaff]+|.[^\u0e00-\u9fff]*", re.S
)
"""What stands together in one of these scripts; a change of script is a border between words."""
_PAIRED: Final = re.compile("[\u0e00-\u0eff\u3400-\u9fff\uf900-\ufaff]{2,}")
_SHORT_FORMS: Final[Mapping[str, str]] = {
    stem: short
    for short, long in (
        ("doc", "document documentation"), ("config", "configure configuration"), ("db", "database"),
        ("auth", "authentication authenticate"), ("perf", "performance"), ("repo", "repository"),
        ("dir", "directory"), ("param", "parameter"), ("env", "environment"), ("app", "application"),
        ("dep", "dependency dependencies"), ("spec", "specification specify"), ("lib", "library libraries"),
        ("i18n", "internationalization internationalisation"), ("impl", "implement implementation"),
        ("msg", "message"), ("img", "image"), ("admin", "administrator"), ("info", "information"),
    )
    for stem in long.split()
}  # fmt: skip
_ALIKE_WORD: Final = 80.0
"""Two words of at least four letters count as one (a typo, an ending) from this rapidfuzz ratio on."""


@lru_cache(maxsize=20_000)
def normalise(text: str) -> str:
    """Return a text without box, marks, status tags, numbering, signs and case; equal texts are one task."""
    reading = read_marks(text)
    text = _URGENCY.sub("", _STATUS.sub(" ", reading.text))
    text = _STEP.sub("", _NUMBERING.sub("", _SIGNS.sub(" ", text)), count=1)
    text = " ".join(text.split()).rstrip(" .;,:!").casefold()
    return text or " ".join(reading.text.split()).casefold()


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Cut the endings that verbs and plurals take; crude, the same for both sides. Long forms become short ones."""
    if (short := _SHORT_FORMS.get(word) or _SHORT_FORMS.get(word.removesuffix("s"))) is not None:
        return short
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a normalised text in order."""
    return tuple(stem(word) for word in words_of(text))


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a normalised text; of Chinese and Thai, which have no blanks, every two signs in a row."""
    for word in _WORD.findall(text):
        if _UNSPACED.search(word) is None:
            yield word
            continue
        for part in _RUN.findall(word):
            if _PAIRED.fullmatch(part):
                yield from map("".join, pairwise(part))
            else:
                yield part


def numbers(text: str) -> frozenset[str]:
    """Return the numbers in a text; two tasks that differ in one are seldom the same."""
    return frozenset(_NUMBER.findall(text))


def agree(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether the numbers of two texts are the same, or one of them only names fewer."""
    return left <= right or right <= left


def rarity(texts: Iterable[str]) -> Mapping[str, float]:
    """Return the weight of each stem: what many items say distinguishes none of them (inverse document frequency).

    Function words weigh next to nothing, and verbs that any task may start with half of what they would.
    """
    count: Counter[str] = Counter()
    factor: dict[str, float] = {}
    total = 0
    for text in texts:
        total += 1
        words = set(words_of(text))
        count.update({stem(word) for word in words})
        for word in words:
            weak = word in FUNCTION_WORDS or (len(word) < 3 and word.isascii() and not word.isdigit())
            weak = weak or _HIRAGANA.fullmatch(word) is not None
            factor[stem(word)] = 0.1 if weak else 0.5 if is_verb(word) else 1.0
    return {word: factor[word] * (0.3 + math.log((2 + total) / (1 + seen))) for word, seen in count.items()}


@dataclass(frozen=True, slots=True)
class Overlap:
    """The words that two texts have in common, weighted; 0 to 100."""

    both: float
    """Share of both texts (Dice)."""
    shorter: float
    """Share of the text that weighs less: high when one says the same at greater length."""


def overlap(left: str, right: str, weights: Mapping[str, float]) -> Overlap:
    """Compare the words of two normalised texts, whatever their order; typos are forgiven."""
    mine, theirs = Counter(stems(left)), Counter(stems(right))
    common = mine & theirs
    shared = sum(weights.get(word, 1.0) * times for word, times in common.items())
    rest = sorted((theirs - common).elements())
    for word in sorted((mine - common).elements()):
        best = max(rest, key=lambda other: fuzz.ratio(word, other), default="")
        if len(word) >= 4 and len(best) >= 4 and fuzz.ratio(word, best) >= _ALIKE_WORD:
            rest.remove(best)
            shared += (weights.get(word, 1.0) + weights.get(best, 1.0)) / 2
    one, two = (sum(weights.get(word, 1.0) * times for word, times in side.items()) for side in (mine, theirs))
    if not one or not two:
        return Overlap(0.0, 0.0)
    return Overlap(min(100.0, 200.0 * shared / (one + two)), min(100.0, 100.0 * shared / min(one, two)))


def likeness(left: str, right: str, words: Overlap) -> float:
    """Return how alike two normalised texts are, 0 to 100: their letters, or better the words that tell tasks apart."""
    if left == right:
        return 100.0
    letters = max(fuzz.ratio(left, right), fuzz.token_sort_ratio(left, right))
    return min(99.0, max((letters + words.both) / 2, words.both))


def contains(left: str, right: str) -> bool:
    """Whether one normalised text is the other with something added, which a split or merge does."""
    short, long = sorted((left, right), key=len)
    size = len(short) + len("".join(_UNSPACED.findall(short)))
    return size >= 12 and count_words(short) >= 2 and fuzz.partial_ratio(short, long) >= 95.0


def opens(left: str, right: str) -> bool:
    """Whether one normalised text starts with the other; of the parts of a split or merge, the first is the item."""
    short, long = sorted((left, right), key=len)
    return len(short) >= 8 and long.startswith(short)
