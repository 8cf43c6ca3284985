"""Every statement that changes `item_stages.state` is a transition of the table in `engine.rules.states`."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from engine.contracts import states
from engine.rules.states import TRANSITIONS
from engine.store import sql, stages

STEMS = sorted(file.name[:-4] for file in resources.files("engine.store").iterdir() if file.name.endswith(".sql"))
STEMS.remove("schema")

NAMES = {
    ("bulks", "accept"): ["open_gate"],
    ("bulks", "close"): ["close"],
    ("bulks", "come_back"): ["wake"],
    ("bulks", "put_back"): ["undo"],
    ("bulks", "put_off"): ["put_off"],
    ("bulks", "reset"): ["reset"],
    ("bulks", "restore_stages"): ["undo"],
    ("bulks", "retry"): ["retry"],
    ("bulks", "revive"): ["reopen"],
    ("claims", "claim"): ["claim"],
    ("claims", "claim_next"): ["claim"],
    ("claims", "claim_next_first"): ["claim"],
    ("claims", "reclaim"): ["reclaim"],
    ("claims", "fail_damaged"): ["fail"],
    ("claims", "wake"): ["wake"],
    ("doctor", "fail_later"): ["give_up"],
    ("doctor", "try_later"): ["spare"],
    ("doctor", "replay"): ["replay"],
    ("items", "close_stages"): ["close"],
    ("items", "unskip_stages"): ["reopen"],
    ("items", "reset_stages"): ["reset"],
    ("items", "reconcile_disabled"): ["close"],
    ("items", "reconcile_enabled"): ["reopen"],
    ("items", "reconcile_after"): ["reset"],
    ("items", "put_back_disabled"): ["close"],
    ("items", "put_back_enabled"): ["reopen"],
    ("people", "open_gate"): ["open_gate"],
    ("people", "put_off"): ["put_off"],
    ("people", "come_back"): ["wake"],
    ("people", "put_back"): ["undo"],
    ("people", "revive"): ["reopen"],
    ("people", "reset_stage"): ["reset"],
    ("people", "retry"): ["retry"],
    ("people", "restore_stage"): ["undo"],
    ("recurrence", "reset_stages"): ["reset"],
    ("settle", "hold"): ["hold"],
    ("suspects", "claim"): ["claim"],
    ("settle", "put_off"): ["put_off"],
    ("settle", "unblock_ready"): ["unblock"],
    ("settle", "unblock_waiting"): ["unblock"],
    ("settle", "unblock_skipped"): ["unblock"],
    ("stages", "finish"): ["finish"],
    ("stages", "finish_some"): ["finish"],
    ("stages", "leave"): ["skip", "ask", "fail", "retry_later", "postpone", "release", "hand_over"],
    ("versions", "still_good"): ["keep"],
}
"""Statement → the transitions that it makes."""


def changing() -> dict[tuple[str, str], str]:
    """Statements that set the state of a row of `item_stages`."""
    return {
        (stem, name): " ".join(text.split())
        for stem in STEMS
        for name, text in sql.load(stem).items()
        if re.match(r"UPDATE item_stages\s+SET (?:(?!\bWHERE\b).)*?\bstate =", text, re.DOTALL)
    }


def quoted_states(text: str) -> set[str]:
    return {word for word in re.findall(r"'(\w+)'", text) if word in states.STAGE_STATES}


def outer_where(text: str) -> tuple[str, str]:
    """The statement before and after the WHERE that stands in no brackets."""
    depth = 0
    for match in re.finditer(r"[()]| WHERE ", text):
        if match[0] == " WHERE " and depth == 0:
            return text[: match.start()], text[match.end() :]
        depth += {"(": 1, ")": -1}.get(match[0], 0)
    return text, ""


def test_every_statement_that_changes_a_state_is_known() -> None:
    assert set(changing()) == set(NAMES)


def test_statement_that_changes_a_state_says_when_the_row_is_due() -> None:
    """Else nobody counts it: the triggers look at `due_at`, not to slow down those that count themselves."""
    counted = {
        ("claims", "claim_next"),
        ("claims", "claim_next_first"),
        ("stages", "finish"),
        ("stages", "finish_some"),
    }
    silent = {where for where, text in changing().items() if " due_at =" not in outer_where(text)[0]}
    assert silent == counted


def test_every_transition_is_made_by_a_statement() -> None:
    assert {name for names in NAMES.values() for name in names} == set(TRANSITIONS)


@pytest.mark.parametrize("where", NAMES)
def test_statement_starts_and_ends_where_its_transition_may(where: tuple[str, str]) -> None:
    text = changing()[where]
    set_part, guard = outer_where(text)
    (target,) = re.findall(r"\bSET state = (CASE .*? END|'\w+'|:state)", set_part)
    guarded = re.findall(r"(?<![.\w])\+?state (= '\w+'|IN \([^)]*\))", guard)
    for name in NAMES[where]:
        transition = TRANSITIONS[name]
        branches = re.findall(r"(?:THEN|ELSE) '(\w+)'", target) or quoted_states(target)
        assert set(branches) <= transition.targets
        if guarded:
            assert {word for one in guarded for word in quoted_states(one)} <= transition.sources
        else:
            assert transition.sources == set(states.STAGE_STATES), f"{where} has no guard"


def test_ends_of_an_attempt_lead_where_the_table_says() -> None:
    for name, target in stages._TARGET.items():
        assert TRANSITIONS[name].targets == {target}
