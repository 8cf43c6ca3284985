"""Two fingerprints of one stage side by side: could the stored output differ?

`same`: nothing that counts has changed. `cosmetic`: what has changed certainly cannot reach an output. `semantic`: it
may; this is also the answer in any doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from engine.contracts.values import dataclass
from engine.rules.code.fingerprint import CONSTANT, HINTED, VALUES, Fingerprint, SymbolPrint

Meaning: TypeAlias = Literal["same", "cosmetic", "semantic"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One symbol that is not as it was; None on a side where it is not reached."""

    name: str
    old: SymbolPrint | None
    new: SymbolPrint | None
    is_cosmetic: bool

    @property
    def pair(self) -> tuple[str, str]:
        """What a verdict about this change is kept under: the hashes of both sides, empty where there is none."""
        return (self.old.norm if self.old else "", self.new.norm if self.new else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The answer of the rules."""

    verdict: Meaning
    changes: tuple[Change, ...]
    """Every symbol whose normalised form differs."""
    reason: str
    doubts: tuple[str, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the rules say that nothing needs to be done."""
        return self.verdict != "semantic"


def compare(old: Fingerprint, new: Fingerprint) -> Comparison:
    """Return what the rules say about a change from `old` to `new`."""
    changes = tuple(_changes(old, new))
    doubts = tuple(dict.fromkeys([*old.doubts, *new.doubts]))
    if not changes:
        return Comparison(verdict="same", changes=(), reason=_same_reason(old, new), doubts=doubts)
    meaning = [change for change in changes if not change.is_cosmetic]
    if meaning:
        return Comparison(verdict="semantic", changes=changes, reason=_told(meaning), doubts=doubts)
    if doubts:
        reason = f"only form and logging differ in {_names(changes)}, but not all of the code can be seen: {doubts[0]}"
        return Comparison(verdict="semantic", changes=changes, reason=reason, doubts=doubts)
    reason = f"{_names(changes)}: only logging, messages, hints, names or form differ, which cannot reach an output"
    return Comparison(verdict="cosmetic", changes=changes, reason=reason, doubts=doubts)


def _changes(old: Fingerprint, new: Fingerprint) -> list[Change]:
    before, after = old.by_name(), new.by_name()
    changes = []
    for name in [*after, *(name for name in before if name not in after)]:
        was, is_now = before.get(name), after.get(name)
        if was is None or is_now is None or was.norm != is_now.norm:
            cosmetic = _is_form(was, is_now) if was and is_now else _stands_elsewhere(was or is_now)
            changes.append(Change(name=name, old=was, new=is_now, is_cosmetic=cosmetic))
    return changes


def _is_form(was: SymbolPrint, is_now: SymbolPrint) -> bool:
    """Whether a symbol is the same with the names of constants (each is a symbol of its own), or with their values."""
    (old, _, old_values), (new, _, new_values) = (
        side.erased.removeprefix(HINTED).partition(VALUES) for side in (was, is_now)
    )
    return old == new or (old_values or old) == (new_values or new)


def _stands_elsewhere(alone: SymbolPrint | None) -> bool:
    """Whether a symbol that only one side has is a constant: what uses it differs, and is compared by its value; or
    one that only hints refer to."""
    return alone is not None and alone.erased.startswith((CONSTANT, HINTED))


def _same_reason(old: Fingerprint, new: Fingerprint) -> str:
    before = old.by_name()
    if all(s.name in before and before[s.name].raw == s.raw for s in new.symbols):
        return "the code is the same"
    return "only comments, formatting, places, or docstrings that nothing reads differ"


def _told(changes: Sequence[Change]) -> str:
    gone = [c for c in changes if c.new is None]
    come = [c for c in changes if c.old is None]
    changed = [c for c in changes if c.old is not None and c.new is not None]
    parts = [
        f"{_names(group)} {word}"
        for group, word in ((changed, "changed"), (come, "is new here"), (gone, "is no longer reached"))
        if group
    ]
    return "; ".join(parts)


def _names(changes: Sequence[Change]) -> str:
    names = [change.name for change in changes]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
