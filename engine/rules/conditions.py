"""Conditions on the fields of an item: whether they are met, and in words why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from engine.contracts.steering import Condition, Scalar
from engine.rules.words import span

_AGES: Final[Mapping[str, tuple[str, ...]]] = {"age": ("published_at", "written_at"), "quiet": ("active_at",)}
"""Spans that conditions may ask about, and the times since which they run, the first that is known."""
_SECONDS_MAX: Final = 100_000_000_000
"""A number above it is milliseconds: as seconds it would lie beyond the year 5000."""
_BOUNDS: Final = (("at_least", "at least"), ("above", "more than"), ("at_most", "at most"), ("below", "less than"))


def fields(
    *, data: Mapping[str, Any], signals: Mapping[str, Any], known: Mapping[str, Any], now: int
) -> dict[str, Any]:
    """What conditions may ask about an item: `known` (its own columns), its data, and its signals, the later winning.

    `age` is the time in seconds since its `published_at` or `written_at` (a time in ISO 8601, or ms or s UTC), `quiet`
    that since its `active_at`, unless a signal says otherwise. What is None counts as missing: nothing is made up for
    it.
    """
    found = {name: value for part in (known, data, signals) for name, value in part.items() if value is not None}
    for name, times in _AGES.items():
        since = next((at for time in times if (at := _time(found.get(time))) is not None), None)
        if name not in found and since is not None:
            found[name] = max(0.0, (now - since) / 1000)
    return found


def _time(value: object) -> int | None:
    """A time in ms UTC from what a source wrote; None when it is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return round(value if value > _SECONDS_MAX else value * 1000)
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def met(condition: Condition, found: Mapping[str, Any]) -> bool:
    """Whether an item with these fields meets a condition."""
    value = found.get(condition.field)
    if condition.within:
        return isinstance(value, str) and any(_lies_in(value, folder) for folder in condition.within)
    if condition.one_of is not None:
        return any(_same(value, wanted) for wanted in condition.one_of)
    if all(getattr(condition, name) is None for name, _ in _BOUNDS):
        return value is not None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (
        (condition.at_least is None or value >= condition.at_least)
        and (condition.above is None or value > condition.above)
        and (condition.at_most is None or value <= condition.at_most)
        and (condition.below is None or value < condition.below)
    )


def first_unmet(conditions: Iterable[Condition], found: Mapping[str, Any]) -> Condition | None:
    """The first condition that is not met."""
    return next((condition for condition in conditions if not met(condition, found)), None)


def is_said(condition: Condition, found: Mapping[str, Any]) -> str:
    """What the field of a condition is, in words: `risk is high`, `market_cap is missing`."""
    value = found.get(condition.field)
    if value is not None and condition.field in _AGES and isinstance(value, (int, float)):
        return f"{condition.field} is {span(value)}"
    return f"{condition.field} is {'missing' if value is None else _told(value)}"


def wanted(condition: Condition) -> str:
    """What a condition wants, in words: `low or missing`, `at least 10,000`."""
    if condition.within:
        return f"within {' or '.join(map(_told, condition.within))}"
    if condition.one_of is not None:
        return " or ".join("missing" if one is None else _told(one) for one in condition.one_of)
    told = span if condition.field in _AGES else _told
    bounds = [f"{words} {told(bound)}" for name, words in _BOUNDS if (bound := getattr(condition, name)) is not None]
    return " and ".join(bounds) or "any value"


def _lies_in(path: str, folder: str) -> bool:
    folder = folder.strip("/")
    return folder in ("", ".", path) or path.startswith(f"{folder}/")


def _same(value: object, other: Scalar) -> bool:
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    return value == other


def _told(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,g}" if isinstance(value, float) else str(value)[:80]
