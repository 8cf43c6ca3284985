"""Terms of a filter as conditions on items: fixed texts of `filters.sql`, values as parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from engine.contracts.filter import ANY, STALE, Term
from engine.contracts.states import ITEM_STATES
from engine.store.sql import queries

_SQL = queries("filters")
_PARTS: Final = {"text": _SQL.text, "err": _SQL.err, "file": _SQL.file}
"""One condition for each word."""
_SETS: Final = {
    "job": _SQL.job, "stage": _SQL.stage, "gate": _SQL.gate, "by": _SQL.by, "source": _SQL.source, "sure": _SQL.sure,
    "rule": _SQL.rule, "of": _SQL.of,
}  # fmt: skip
"""One condition for all words."""
_DOING: Final = {"ready": _SQL.ready, "running": _SQL.running, "later": _SQL.later, "blocked": _SQL.blocked}
"""What a stage of an item does."""
_COMPARED: Final = {
    "prio": {"=": _SQL.prio_eq, "<": _SQL.prio_lt, "<=": _SQL.prio_le, ">": _SQL.prio_gt, ">=": _SQL.prio_ge},
    # An exact age or price is never meant: at least so much.
    "age": {"=": _SQL.age_ge, "<": _SQL.age_lt, "<=": _SQL.age_le, ">": _SQL.age_gt, ">=": _SQL.age_ge},
    # Only what cost something has an entry in the index: less is not as much.
    "cost": {
        "=": _SQL.cost_ge, "<": f"NOT ({_SQL.cost_ge})", "<=": f"NOT ({_SQL.cost_gt})", ">": _SQL.cost_gt,
        ">=": _SQL.cost_ge,
    },
}  # fmt: skip
_TRUTH: Final = {"true": "1", "false": "0"}


def conditions(terms: Sequence[Term], now: int) -> tuple[list[str], dict[str, Any]]:
    """Return conditions to append to a WHERE, and their values; `now` is ms UTC."""
    where: list[str] = []
    values: dict[str, Any] = {}
    for term in terms:
        parts: list[str] = []
        for text, value in _alternatives(term):
            name = f"v{len(values)}"
            parts.append(f"({text.replace(':v', f':{name}')})")
            values[name] = value
        where.append(f"AND {'NOT ' if term.negated else ''}({' OR '.join(parts)})")
    if any(term.field == "age" for term in terms):
        values["now"] = now
    return where, values


def _alternatives(term: Term) -> Iterator[tuple[str, Any]]:
    """Yield condition and value of each alternative of a term."""
    if term.comparisons:
        for one in term.comparisons:
            yield _COMPARED[term.field][one.sign], one.number
    elif term.field in _PARTS:
        for word in term.values:
            yield _PARTS[term.field], word
    elif term.field == "state":
        own = [value for value in term.values if value in ITEM_STATES]
        if own:
            yield _SQL.state, json.dumps(own)
        for value in term.values:
            if value not in ITEM_STATES:
                yield _DOING[value], None
    elif term.field == "fact":
        # JSON's true and false are 1 and 0 in a query.
        any_of = [*term.values, *(_TRUTH[value] for value in term.values if value in _TRUTH)]
        yield _SQL.fact, json.dumps({"path": f'$."{term.fact}"', "any": any_of})
    elif term.field == "ver":
        for value in term.values:
            yield (_SQL.ver_stale, None) if value == STALE else (_SQL.ver, value)
    elif term.field == "id":
        yield _SQL.ids, json.dumps([int(value) for value in term.values])
    elif term.field == "gate" and ANY in term.values:
        yield _SQL.gate_any, None
    elif term.field == "rule" and ANY in term.values:
        yield _SQL.rule_any, None
    else:
        yield _SETS[term.field], json.dumps(term.values)
