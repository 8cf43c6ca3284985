"""What may be stored of a candidate that somebody else's code made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, get_args

from engine.contracts.item import Candidate, Confidence

SIGNALS_MAX: Final = 100
NEEDS_MAX: Final = 200
_LINE_MAX: Final = 2**31
_JSON: Final = json.JSONEncoder(allow_nan=False)
_CONFIDENCES: Final = get_args(Confidence)
_TEXTS: Final = ("key", "title", "why")
_TEXTS_OR_NONE: Final = ("revision", "path", "parent_key", "former_key")


def flaw(candidate: object) -> str | None:
    """Return what is wrong with something that was yielded or emitted as a candidate; None: it can be stored.

    The sentence has raw text of the candidate in it, to be cleaned where it goes.
    """
    if not isinstance(candidate, Candidate):
        return f"{type(candidate).__name__} instead of a Candidate"
    key: Any = candidate.key
    if not isinstance(key, str) or not key.strip():
        return "a candidate without a key"
    found = _wrong_field(candidate) or _wrong_json("data", candidate.data) or _wrong_signals(candidate)
    return f"{found} for {key[:100]}" if found else None


def _wrong_field(candidate: Any) -> str | None:
    if not isinstance(candidate.provenance, Mapping):
        return "a provenance that is no names with values"
    for name in (*_TEXTS, *_TEXTS_OR_NONE):
        value = getattr(candidate, name)
        if not isinstance(value, str) and not (value is None and name in _TEXTS_OR_NONE):
            return f"a {name} that is {type(value).__name__}"
    for name, text in (("revision", candidate.revision), ("path", candidate.path)):
        if text is not None and not _is_unicode(text):
            return f"a {name} that is not text in UTF-8"
    line = candidate.line
    if line is not None and (not _is_int(line) or not 0 <= line < _LINE_MAX):
        return "a line that is no line number"
    if candidate.priority is not None and (not _is_int(candidate.priority) or candidate.priority not in range(4)):
        return "a priority that is not 0, 1, 2, 3 or None"
    if candidate.closed not in (None, "done", "cancelled"):
        return "`closed` that is not done, cancelled or None"
    if candidate.confidence is not None and candidate.confidence not in _CONFIDENCES:
        return "a confidence that is not high, medium, low or None"
    headings = candidate.headings
    if headings != () and not (isinstance(headings, (tuple, list)) and all(isinstance(one, str) for one in headings)):
        return "headings that are no texts"
    return None


def _wrong_json(name: str, value: Any) -> str | None:
    if value == {}:
        return None
    try:
        _JSON.encode(value if type(value) is dict else dict(value))
    except (TypeError, ValueError, RecursionError) as error:
        return f"{name} that {'are' if name == 'signals' else 'is'} not JSON ({error})"
    return None


def _wrong_signals(candidate: Any) -> str | None:
    if type(candidate.signals) is not dict and not isinstance(candidate.signals, Mapping):
        return "signals that are no mapping"
    if len(candidate.signals) > SIGNALS_MAX:
        return f"more than {SIGNALS_MAX} signals"
    needs = candidate.needs
    if needs != () and not (
        isinstance(needs, (tuple, list)) and all(isinstance(one, str) and one.strip() for one in needs)
    ):
        return "needs that are no keys"
    if len(needs) > NEEDS_MAX:
        return f"more than {NEEDS_MAX} items that it needs"
    return _wrong_json("signals", candidate.signals)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
