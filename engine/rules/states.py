"""The life of an item stage and of an item, as one table and one function.

    blocked ◄─► ready ──► running ──► done
       │          ▲          ├──────► skipped        (the handler said it does not apply)
       └──► waiting          ├──────► failed
         (gate) │            ├──────► later ──► ready   (retry with a time)
                └──► ready   ├──────► waiting        (the handler asked; or put off or interrupted too often)
                             └──────► ready          (released at shutdown, or reclaimed after a crash)

A person may close what is open (→ skipped), retry what failed (→ ready), and reset what is settled (→ blocked, ready or
waiting, by what stands before it). Every change of `item_stages.state` in the store is one of these transitions; a test
compares this table with the schema's CHECK and with the store's functions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from engine.contracts.states import STAGE_STATES, ItemState, StageState
from engine.contracts.values import dataclass

OPEN: Final[frozenset[StageState]] = frozenset({"blocked", "ready", "running", "waiting", "later"})
"""States that something can still happen in by itself or by a person's word."""

SATISFIED: Final[frozenset[StageState]] = frozenset({"done", "skipped"})
"""States that let the stages after it start."""

KEPT_ITEM_STATES: Final[frozenset[ItemState]] = frozenset({"snoozed", "dropped", "gone"})
"""Item states that no rule derives from stages."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal change of an item stage."""

    sources: frozenset[StageState]
    targets: frozenset[StageState]


def _t(sources: Iterable[StageState], *targets: StageState) -> Transition:
    return Transition(frozenset(sources), frozenset(targets))


TRANSITIONS: Final[Mapping[str, Transition]] = {
    "unblock": _t(("blocked",), "ready", "waiting", "skipped"),
    "claim": _t(("ready", "blocked", "later"), "running"),
    "finish": _t(("running",), "done"),
    "skip": _t(("running",), "skipped"),
    "ask": _t(("running",), "waiting"),
    "fail": _t(("running",), "failed"),
    "retry_later": _t(("running",), "later"),
    "postpone": _t(("running",), "later"),
    "release": _t(("running",), "ready"),
    "hand_over": _t(("running",), "waiting"),
    "reclaim": _t(("running",), "ready", "later", "waiting"),
    "wake": _t(("later",), "ready"),
    "hold": _t(("ready", "later"), "blocked"),
    "open_gate": _t(("waiting",), "ready"),
    "retry": _t(("failed",), "ready"),
    "give_up": _t(("later",), "failed"),
    "spare": _t(("later", "failed"), "later"),
    "replay": _t(("failed", "later"), "ready"),
    "put_off": _t(("ready", "later"), "later"),
    "close": _t(("blocked", "ready", "running", "waiting", "later", "failed"), "skipped"),
    "reopen": _t(("skipped",), "blocked", "done"),
    "keep": _t(("blocked",), "done"),
    "reset": _t(STAGE_STATES, "blocked", "ready", "waiting", "skipped"),
    "undo": _t(STAGE_STATES, *(state for state in STAGE_STATES if state != "running")),
}
"""Name of the transition (and of the function that makes it) → where it may start and end. `claim` from blocked: the
finishing stage takes its successor along in the same transaction; from later: a row that was interrupted several times
starts alone. `reopen`: a skipped stage is done again where its
result is still there. `hold`: its item may not start any more, because of what it is or what it waits for. `keep`:
what was to run again because a stage before it did, and that stage gave what it had given before. `undo`
restores what the journal kept; `give_up`, `spare` and `replay` are what a verdict of the doctor makes of a failure."""


def item_state(stages: Collection[StageState], closed: Literal["done", "cancelled"] | None = None) -> ItemState:
    """Derive an item's state from its stages; `closed` is what the world or a person said of the whole item.

    Any failed stage makes the item failed, though its sibling branches may still finish; a waiting gate makes it
    waiting; anything open makes it pending. An item with nothing left is done, or skipped when nothing of it ran.
    """
    if "failed" in stages:
        return "failed"
    if "waiting" in stages:
        return "waiting"
    if any(state in OPEN for state in stages):
        return "pending"
    if closed == "done" or "done" in stages or not stages:
        return "done"
    return "skipped"


def start_state(before: Iterable[StageState], *, enabled: bool, gated: bool, held: bool = False) -> StageState:
    """The state of a stage that has not run, from the states of the stages directly before it.

    A disabled one is skipped in its turn, not at once: what comes after it still waits for what stands before it. What
    is `held` may wait for a person at its gate, but not start.
    """
    if any(state not in SATISFIED for state in before):
        return "blocked"
    if not enabled:
        return "skipped"
    return "waiting" if gated else "blocked" if held else "ready"


def start_states(
    order: Iterable[str],
    after: Mapping[str, Collection[str]],
    *,
    settled: Mapping[str, StageState],
    disabled: Collection[str],
    gated: Collection[str],
) -> dict[str, StageState]:
    """States of an item's stages in topological `order`: `settled` ones stay, the others start by `start_state`."""
    states: dict[str, StageState] = {}
    for name in order:
        states[name] = settled.get(name) or start_state(
            (states[before] for before in after[name]), enabled=name not in disabled, gated=name in gated
        )
    return states
