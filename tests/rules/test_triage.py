from __future__ import annotations

import pytest

from engine.contracts.steering import Condition, TriageRule
from engine.rules.conditions import fields
from engine.rules.triage import propose

DAY = 86_400
NOW = 2_000_000_000_000
RULES = (
    TriageRule(name="1", do="drop", when=(Condition(field="path", within=("vendor", "third_party/")),), auto=True),
    TriageRule(name="2", do="P1", when=(Condition(field="path", within=("src/net.py",)),)),
    TriageRule(
        name="3",
        do="accept",
        when=(Condition(field="age", below=14 * DAY), Condition(field="quiet", below=7 * DAY)),
        auto=True,
    ),
    TriageRule(name="4", do="snooze", when=(Condition(field="quiet", above=90 * DAY),), for_s=30 * DAY),
)


def found(path: str = "TODO.md", *, age: int = 100, quiet: int | None = 20, **more: object) -> dict[str, object]:
    """Fields of an item whose line was written `age` days ago, in a file that changed `quiet` days ago."""
    times = {"written_at": NOW - age * DAY * 1000, "active_at": None if quiet is None else NOW - quiet * DAY * 1000}
    return fields(data=times, signals={}, known={"path": path, "confidence": "high", **more}, now=NOW)


@pytest.mark.parametrize(
    ("item", "do", "why"),
    [
        (found("vendor/lib/TODO.md"), "drop", "rule 1: path is vendor/lib/TODO.md (within vendor or third_party/)"),
        (found("third_party"), "drop", "rule 1: path is third_party (within vendor or third_party/)"),
        (found("src/net.py"), "P1", "rule 2: path is src/net.py (within src/net.py)"),
        (found(age=3, quiet=1), "accept", "rule 3: age is 3d (less than 14d), quiet is 1d (less than 7d)"),
        (found(quiet=91), "snooze", "rule 4: quiet is 91d (more than 90d)"),
    ],
)
def test_the_first_rule_that_fits_proposes_with_its_reason(item: dict[str, object], do: str, why: str) -> None:
    proposal = propose(RULES, item)
    assert proposal is not None
    assert (proposal.do, proposal.why) == (do, why)


@pytest.mark.parametrize(
    "item",
    [found(), found("vendored/TODO.md"), found("my/vendor/TODO.md"), found(age=3, quiet=None)],
    ids=["none fits", "a name that begins alike", "a folder of that name elsewhere", "a missing field fits no bound"],
)
def test_where_no_rule_fits_nothing_is_proposed(item: dict[str, object]) -> None:
    assert propose(RULES, item) is None


def test_a_priority_that_is_there_already_is_no_proposal() -> None:
    assert propose(RULES, found("src/net.py", age=3, quiet=1, priority=1)).do == "accept"  # type: ignore[union-attr]
    assert propose(RULES, found("src/net.py", age=3, quiet=1, priority=2)).do == "P1"  # type: ignore[union-attr]


def test_what_may_be_prose_is_never_accepted_without_a_person() -> None:
    sure, unsure = propose(RULES, found(age=3, quiet=1)), propose(RULES, found(age=3, quiet=1, confidence="low"))
    assert sure is not None
    assert unsure is not None
    assert (sure.do, sure.auto, unsure.do, unsure.auto) == ("accept", True, "accept", False)
    dropped = propose(RULES, found("vendor/a.md", confidence="low"))
    assert dropped is not None
    assert dropped.auto
