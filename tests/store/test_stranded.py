"""Whatever stages an item has, however they end and however often the configuration changes: nothing is left behind.

Random jobs, outcomes, commands of a person and reloads; after each step no row waits for nothing, and in the end, when
a person opens what waits and retries what failed, every item that is not held comes to its end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.contracts.spec import JobSpec, StageSpec
from engine.contracts.steering import Condition, EligibilitySpec, RecurSpec
from engine.rules.states import SATISFIED
from engine.store import facts
from tests.factories import Ground, candidate, finished, job, left, stage

NAMES = ("a", "b", "c", "d", "e")
KEYS = ("one", "two", "three")
FILTER = EligibilitySpec(fields=(Condition(field="risk", one_of=("low", None)),))


@st.composite
def jobs(draw: st.DrawFn) -> JobSpec:
    """A job with one to five stages in any order, each after some of those before it."""
    names = draw(st.permutations(NAMES))[: draw(st.integers(1, 5))]
    stages: list[StageSpec] = []
    chain = draw(st.booleans())
    for position, name in enumerate(names):
        after = names[position - 1 : position] if position and chain else _some(draw, names[:position])
        gate = "accept" if draw(st.integers(0, 5)) == 0 else None
        stages.append(stage(name, after=after, gate=gate, enabled=draw(st.integers(0, 5)) > 0))
    return job(
        "docs",
        *stages,
        eligibility=FILTER if draw(st.booleans()) else None,
        recur=RecurSpec(after_s=5_000) if draw(st.integers(0, 3)) == 0 else None,
    )


def _some(draw: st.DrawFn, names: Sequence[str]) -> list[str]:
    return [name for name in names if draw(st.booleans())]


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("end"), st.sampled_from(["finish", "fail", "skip", "ask", "retry_later", "postpone", "release"])
        ),
        st.tuples(
            st.just("person"), st.sampled_from(["accept", "answer", "retry", "drop", "cancel", "undo", "snooze"])
        ),
        st.tuples(st.just("reload"), jobs()),
        st.tuples(
            st.just("found"),
            st.tuples(
                st.sampled_from(KEYS),
                st.sampled_from(["low", "high", None]),
                st.sampled_from([None, "1", "2"]),
                st.lists(st.sampled_from([*KEYS, "never"]), max_size=2),
            ),
        ),
        st.tuples(st.just("wait"), st.integers(1, 10_000)),
    ),
    max_size=25,
)


def do(ground: Ground, step: tuple[str, Any], keys: Sequence[str]) -> None:
    kind, what = step
    if kind == "end":
        for number in ground.job().stages:
            for claim in ground.claim(ground.plan.stages[number].spec.name, 1):
                more = {"due_at": ground.now + 1_000} if what in ("retry_later", "postpone", "release") else {}
                ground.end(finished(claim) if what == "finish" else left(claim, what, **more))
    elif kind == "person":
        args: dict[str, Any] = {"answer": "yes"} if what == "answer" else {}
        args |= {"until": ground.now + 60_000} if what == "snooze" else {}
        ground.command(what, *(() if what == "undo" else keys), **args)
    elif kind == "reload":
        ground.sync(what)
        while ground.do(facts.renew, ground.plan, ground.now):
            pass
    elif kind == "found":
        key, risk, revision, needs = what
        ground.add(candidate(key, data={"risk": risk}, revision=revision, needs=tuple(needs)))
    else:
        ground.clock.advance(what)
        ground.wake()


def rows(ground: Ground) -> list[dict[str, Any]]:
    return ground.rows(
        "SELECT i.key, i.state AS item, i.closed, i.held, x.stage_id AS stage, x.state, x.fence"
        " FROM item_stages AS x JOIN items AS i ON i.id = x.item_id JOIN stages AS s ON s.id = x.stage_id"
        " WHERE s.removed = 0"
    )


def check(ground: Ground) -> None:
    """No row waits for nothing, and nothing of a held item can start."""
    found = rows(ground)
    states = {(row["key"], row["stage"]): row["state"] for row in found}
    for row in found:
        if row["item"] in ("dropped", "gone", "snoozed"):
            continue
        before = [states.get((row["key"], number), "done") for number in ground.plan.stages[row["stage"]].before]
        free = all(state in SATISFIED for state in before)
        if row["held"] is not None:
            assert row["state"] != "ready", row
        elif row["state"] == "blocked":
            assert not free, f"nothing stands before it: {row}"
        elif row["state"] == "ready" and not row["fence"]:
            assert free, f"it may not start yet: {row}"
        assert row["closed"] is None or row["state"] in SATISFIED, row
    assert ground.counts() == ground.recount()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(jobs(), STEPS, jobs())
def test_no_item_is_ever_stranded(first: JobSpec, steps: list[tuple[str, Any]], last: JobSpec) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder) / "state", first)
        try:
            ground.add(*KEYS)
            for step in steps:
                keys = [row["key"] for row in ground.rows("SELECT key FROM items")]
                do(ground, step, keys)
                check(ground)
            do(ground, ("reload", last), ())
            check(ground)
            _work_off(ground)
        finally:
            ground.close()


def _work_off(ground: Ground) -> None:
    """Everything is opened, retried, woken and run; then only what is held or given up may be unfinished."""
    ground.sync(job("docs", *ground.job().spec.stages))  # without recurrence and filters: an end is in sight
    while ground.do(facts.renew, ground.plan, ground.now):
        pass
    for _ in range(len(NAMES) * len(KEYS) * 2):
        keys = [row["key"] for row in ground.rows("SELECT key FROM items")]
        for command in ("accept", "retry"):
            ground.command(command, *keys)
        ground.command("answer", *keys, answer="yes")
        ground.clock.advance(100_000)
        ground.wake()
        for number in ground.job().stages:
            ground.finish(ground.plan.stages[number].spec.name)
    for row in ground.rows("SELECT key, state, held FROM items"):
        settled = row["state"] in ("done", "skipped", "dropped", "gone")
        assert settled or row["held"] is not None, row
        if row["held"] is not None and not settled:
            assert _ends_at_never(ground, row["key"]), row


def _ends_at_never(ground: Ground, key: str) -> bool:
    """Whether an item waits, over others, for one that was never found."""
    seen, waiting = set(), [key]
    while waiting:
        one = waiting.pop()
        if one == "never":
            return True
        if one not in seen:
            seen.add(one)
            waiting += [
                row["key"]
                for row in ground.rows(
                    "SELECT d.key FROM item_deps AS d JOIN items AS i ON i.id = d.item_id WHERE i.key = ?", one
                )
            ]
    return False
