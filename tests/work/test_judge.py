from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.contracts.attempt import AttemptError
from engine.contracts.item import Candidate
from engine.contracts.outcome import Artifact, Ask, Done, Fail, Later, Skip
from engine.store.checksum import hash_output
from engine.store.stages import Finished, Left
from engine.work.judge import RESULT_LIMIT, BadResult, failed, judge
from tests.work.claims import claim

NOW = 1_000_000


def judged(value: Any, emitted: Any = (), **stage: Any) -> Finished | Left:
    return judge(claim(**stage), value, emitted, now=NOW, ms=5)


def finished(value: Any, emitted: Any = (), **stage: Any) -> Finished:
    ending = judged(value, emitted, **stage)
    assert isinstance(ending, Finished)
    return ending


def test_dict_is_done() -> None:
    ending = finished({"words": 7, "of": ("a", None, 1.5, True)})
    assert json.loads(ending.output) == {"words": 7, "of": ["a", None, 1.5, True]}
    assert ending.output_hash == hash_output(ending.output)
    assert (ending.cost_usd_micros, ending.artifacts, ending.emit, ending.ms) == (0, None, (), 5)


def test_done_brings_cost_artifacts_and_items() -> None:
    child, other = Candidate(key="c"), Candidate(key="o")
    done = Done(cost_usd_micros=7, artifacts=(Artifact(path="x/y.md", type="text/markdown"),), emit=(("docs", child),))
    ending = finished(done, [("other", other)])
    assert (ending.output, ending.cost_usd_micros) == ("{}", 7)
    assert json.loads(ending.artifacts or "") == [{"path": "x/y.md", "type": "text/markdown"}]
    assert ending.emit == (("docs", child), ("other", other))


def test_next_stage_gets_what_is_stored_and_not_what_the_handler_still_holds() -> None:
    mine = {"list": (1, 2), "inner": {1: "one"}}
    ending = finished(mine)
    mine["list"] = ()
    assert ending.value == {"list": [1, 2], "inner": {"1": "one"}} == json.loads(ending.output)


@pytest.mark.parametrize(
    ("value", "transition", "why"),
    [
        (Skip(why="no text\nin it"), "skip", "no text in it"),
        (Fail(why="gone\x1b[2J"), "fail", "gone␛[2J"),
        (Ask(question="which?"), "ask", "which?"),
        (Later(after=2.5, why="busy"), "postpone", "busy"),
        (Skip(why="a\ud800b"), "skip", "a\ufffdb"),
    ],
)
def test_other_outcomes_end_as_they_say(value: Any, transition: str, why: str) -> None:
    ending = judged(value)
    assert isinstance(ending, Left)
    assert (ending.transition, ending.why, ending.problem) == (transition, why, None)
    assert ending.due_at == (NOW + 2_500 if transition == "postpone" else None)


def test_choices_of_a_question_are_kept() -> None:
    ending = judged(Ask(question="which?", choices=("yes", "no\x00")))
    assert isinstance(ending, Left)
    assert json.loads(ending.choices or "") == ["yes", "no␀"]


@pytest.mark.parametrize(
    ("later", "wait_s"),
    [
        (Later("", after=-5), 1),
        (Later("", after=0), 1),
        (Later("", after=float("-inf")), 1),
        (Later("", after=1e300), 366 * 86_400),
        (Later("", after=float("inf")), 366 * 86_400),
        (Later("", after="10m"), 600),
        (Later("", after=timedelta(hours=2)), 7_200),
        (Later("", when=datetime.fromtimestamp(NOW / 1000 + 90, UTC)), 90),
        (Later("", when=datetime.min.replace(tzinfo=UTC)), 1),
        (Later("", when=datetime.max.replace(tzinfo=UTC)), 366 * 86_400),
    ],
)
def test_later_is_neither_at_once_nor_never(later: Later, wait_s: int) -> None:
    ending = judged(later)
    assert isinstance(ending, Left)
    assert ending.due_at == NOW + wait_s * 1_000


def deep(n: int) -> Any:
    value: Any = {}
    for _ in range(n):
        value = {"in": value}
    return value


def circle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["me"] = value
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "the handler returned nothing"),
        (42, "the handler returned int"),
        ("text", "the handler returned str"),
        ([{"a": 1}], "the handler returned list"),
        ({"x": float("nan")}, "not JSON"),
        ({"x": float("inf")}, "not JSON"),
        ({"x": b"bytes"}, "not JSON"),
        ({"x": {1, 2}}, "not JSON"),
        ({"x": object()}, "not JSON"),
        ({("a", "b"): 1}, "not JSON"),
        ({"x": 10**5000}, "not JSON"),
        (circle(), "not JSON"),
        (deep(100_000), "not JSON"),
        ({"x": "y" * RESULT_LIMIT}, "are allowed"),
        (Later("", after=float("nan")), "Later.after is no duration"),
        (Later("", after="soon"), "Later.after needs a duration"),
        (Later("", after="5"), "Later.after needs a unit"),
        (Later(""), "one of `after` and `when`"),
        (Later("", after=1, when=datetime.now(UTC)), "one of `after` and `when`"),
        (Later("", when=datetime(2026, 1, 1)), "Later.when is no datetime with a time zone"),
        (Later("", when="tomorrow"), "Later.when is no datetime with a time zone"),  # type: ignore[arg-type]
        (Done(cost_usd_micros=-1), "the cost"),
        (Done(cost_usd_micros=0.5), "the cost"),  # type: ignore[arg-type]
        (Done(cost_usd_micros=2**63), "the cost"),
        (Done(cost_usd_micros=None), "the cost"),  # type: ignore[arg-type]
        (Done(artifacts=(Artifact(path="/etc/passwd"),)), "not inside the item's folder"),
        (Done(artifacts=(Artifact(path="a/../../b"),)), "not inside the item's folder"),
        (Done(artifacts=(Artifact(path="a\0b"),)), "not inside the item's folder"),
        (Done(artifacts=(Artifact(path=None),)), "not inside the item's folder"),  # type: ignore[arg-type]
        (Done(emit=(("docs", {"key": "x"}),)), "emitted dict instead of a Candidate"),  # type: ignore[arg-type]
        (Done(emit=(("docs", Candidate(key=" ")),)), "emitted a candidate without a key"),
        (Done(emit=(("docs", Candidate(key="x", data={"x": b""})),)), "emitted data that is not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_what_cannot_be_stored_is_refused_with_its_reason(value: Any, message: str) -> None:
    with pytest.raises(BadResult, match=message):
        judged(value)


@pytest.mark.parametrize("value", ["a\ud800b", "nul\0", 2**63, -(2**63) - 1, "\u2028", "🎈"])
def test_odd_values_that_are_json_are_stored_as_they_are(value: Any) -> None:
    ending = finished({"x": value})
    ending.output.encode()
    assert json.loads(ending.output) == {"x": value}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("str", "a", 1),
        ("int", 1, 1.5),
        ("int", 1, True),
        ("float", 1, "1"),
        ("float", 1.5, True),
        ("bool", True, 1),
        ("list", [1], {"a": 1}),
        ("dict", {"a": 1}, [1]),
        ("str", "", None),
    ],
)
def test_declared_outputs_are_held_to_their_types(kind: str, good: Any, bad: Any) -> None:
    assert finished({"x": good}, outputs={"x": kind}).value == {"x": good}
    with pytest.raises(BadResult, match=rf"the output's `x` is {type(bad).__name__}, the stage declares {kind}"):
        judged({"x": bad}, outputs={"x": kind})
    with pytest.raises(BadResult, match="the output lacks `x`"):
        judged({}, outputs={"x": kind})


def test_exception_is_tried_again_while_attempts_are_left() -> None:
    problem = AttemptError(error_type="OSError", message="no\nroute", traceback="")
    again = failed(claim(attempts=3, attempt=2, backoff_s=10), problem, now=NOW, chance=0.0, ms=1)
    assert (again.transition, again.why, again.due_at) == ("retry_later", "OSError: no", NOW + 10_000)
    last = failed(claim(attempts=3, attempt=3), problem, now=NOW, chance=0.0, ms=1)
    assert (last.transition, last.due_at, last.problem) == ("fail", None, problem)
    final = failed(claim(attempts=3), problem, now=NOW, chance=0.0, ms=1, final=True)
    assert final.transition == "fail"


@pytest.mark.parametrize("name", [5, None, ["docs"]])
def test_emission_for_what_is_no_name_of_a_job_is_refused(name: Any) -> None:
    with pytest.raises(BadResult, match="emitted for a job that is named by"):
        judged({}, [(name, Candidate(key="c"))])
