"""What discovery hands over: candidates, and what it may ask about items that are known already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from engine.contracts.values import dataclass

Priority = Literal[0, 1, 2, 3]
"""P0 urgent, P1 high, P2 normal, P3 low."""

Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One item as a discovery sees it now. A known key merges: state, results and decisions of a person stay."""

    key: str
    """Unique within the job that receives it; at most 512 characters after cleaning."""
    former_key: str | None = None
    """Of a finding: the key that earlier code of its check gave it. An item of that key takes the new one, and keeps
    its history and what a person has decided."""
    title: str = ""
    """One line for people; the key is shown when it is empty."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """JSON values for the handlers; replaces what was stored for this key when it differs."""
    signals: Mapping[str, Any] = field(default_factory=dict)
    """Facts that its priority and eligibility follow from, such as `market_cap`, `published_at` or `risk`: JSON values.
    They are merged with those that are known; a value that is not known is left out, or None: it replaces nothing."""
    provenance: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    """What led to it: `{"topic": "storage", "query": "wal mode"}`. It adds to what led to it before."""
    needs: tuple[str, ...] = ()
    """Keys of items of the same job that must be finished before this one starts; they may be found later."""
    revision: str | None = None
    """Changes when the content changes; a new revision runs the stages again. None: never runs again by itself."""
    ask_again: bool = False
    """With a new revision: close the gates that a person has opened, because this may not be what they accepted."""
    closed: Literal["done", "cancelled"] | None = None
    """The world says this is finished (a ticked box): what is left is skipped, with `why`."""
    why: str = ""
    """Why it is closed."""
    priority: Priority | None = None
    """None means not given, which is not the same as P3."""
    path: str | None = None
    """Source file, relative to the project's root."""
    line: int | None = None
    """1-based line in that file, as last seen."""
    headings: tuple[str, ...] = ()
    """Heading path above the line, outermost first."""
    parent_key: str | None = None
    """Key of the parent item in the same job; empty: it is nobody's child, though a handler emits it."""
    confidence: Confidence | None = None
    """How sure the discovery is that this is an item at all; triage keeps `low` in a bucket of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """One item that an earlier run of the same source gave, for matching by place."""

    key: str
    title: str
    data: Mapping[str, Any]
    path: str | None
    line: int | None
    headings: tuple[str, ...]
    state: str
    """State of the item, a value of `engine.contracts.states.ItemState`."""
