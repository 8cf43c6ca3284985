"""Whatever happens in whatever order: the counts are right, and no item is stranded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.contracts.spec import JobSpec
from engine.rules.states import SATISFIED
from engine.store import claims, suspects
from tests.factories import LEASE_MS, Ground, candidate, chain, finished, job, left, stage

KEYS = ("a", "b", "c")
ENDS = ("done", "done", "skip", "ask", "fail", "retry_later", "postpone", "release")
ACTS = (
    "add", "revise", "close", "complete_run", "end", "end_along", "crash", "lease_ends", "wake", "accept", "answer",
    "drop", "cancel", "snooze", "prioritise", "retry", "undo", "emit", "shrink", "grow",
)  # fmt: skip


@st.composite
def dags(draw: st.DrawFn, *, shapes: bool = True) -> JobSpec:
    """A job of one to five stages, in a row or in any shape, with gates and switched off stages."""
    n = draw(st.integers(1, 5))
    names = [f"s{number}" for number in range(n)]
    stages = []
    for number, name in enumerate(names):
        before = names[number - 1 : number] if number else []
        if shapes and draw(st.booleans()):
            before = draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        gate = draw(st.sampled_from([None, None, None, "accept"]))
        stages.append(stage(name, after=before, gate=gate, enabled=draw(st.integers(0, 5)) > 0))
    return job("docs", *stages)


RESTLESS = """
    SELECT i.key, i.state, s.stage_id, s.state FROM items AS i JOIN item_stages AS s ON s.item_id = i.id
    WHERE i.state IN ('dropped', 'gone') AND s.state IN ('ready', 'running', 'waiting', 'later')
"""
"""Rows of items that a person dropped, or that are gone, in which something goes on."""

STALE = """
    SELECT r.item_id, r.stage_id, s.state FROM results AS r JOIN item_stages AS s USING (item_id, stage_id)
    WHERE s.state <> 'done'
"""
"""Outputs at stages that are not done."""


class History:
    """A state file to which anything happens."""

    def __init__(self, folder: Path, spec: JobSpec) -> None:
        self.spec = spec
        self.ground = Ground(folder, spec)
        self.running: list[claims.Claim] = []
        self.revision = 0

    def act(self, name: str, key: str, number: int) -> None:
        ground = self.ground
        ground.clock.advance(number)
        names = [ground.plan.stages[number].spec.name for number in ground.job().stages]
        claimed = ground.claim(names[number % len(names)], 2)
        self.running += claimed
        steps: dict[str, Callable[[], object]] = {
            "add": lambda: ground.add(key),
            "revise": lambda: self.revise(key),
            "close": lambda: ground.add(candidate(key, closed="done")),
            "complete_run": lambda: ground.complete_run(gone_after=2),
            "end": lambda: self.end(number, along=False),
            "end_along": lambda: self.end(number, along=True),
            "crash": self.crash,
            "lease_ends": self.lease_ends,
            "wake": ground.wake,
            "accept": lambda: ground.command("accept", key),
            "answer": lambda: ground.command("answer", key, answer="x"),
            "drop": lambda: ground.command("drop", key),
            "cancel": lambda: ground.command("cancel", key),
            "snooze": lambda: ground.command("snooze", key, until=ground.now + number * 1_000),
            "prioritise": lambda: ground.command("prioritise", key, priority=number % 4),
            "retry": lambda: ground.command("retry", key),
            "undo": lambda: ground.command("undo"),
            "emit": lambda: self.emit(key),
            "shrink": lambda: ground.sync(
                job("docs", *self.spec.stages[:-1]) if len(self.spec.stages) > 1 else self.spec
            ),
            "grow": lambda: ground.sync(self.spec),
        }
        steps[name]()

    def revise(self, key: str) -> None:
        self.revision += 1
        self.ground.add(candidate(key, revision=str(self.revision)))

    def end(self, number: int, *, along: bool, how: str | None = None) -> None:
        ground = self.ground
        plan = ground.plan.stages
        self.running = [claim for claim in self.running if claim.stage.id in plan]
        taken, self.running = self.running[:2], self.running[2:]
        endings: list[Any] = []
        for position, claim in enumerate(taken):
            transition = how or ENDS[(number + position) % len(ENDS)]
            due: dict[str, Any] = (
                {"due_at": ground.now + 1} if transition in ("retry_later", "postpone", "release") else {}
            )
            endings.append(finished(claim) if transition == "done" else left(claim, transition, **due))
        names = {plan[number].spec.name: 1 for number in ground.job().stages} if along else {}
        self.running += ground.end(*endings, free=names).claims

    def emit(self, key: str) -> None:
        if self.running and self.running[0].stage.id in self.ground.plan.stages:
            self.ground.end(finished(self.running.pop(0), emit=[("docs", candidate(f"{key}-child"))]))

    def crash(self) -> None:
        ground = self.ground
        ground.epoch += 1
        ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now)

    def lease_ends(self) -> None:
        ground = self.ground
        ground.clock.advance(LEASE_MS / 1000 + 1)
        alive = [(claim.item.id, claim.stage.id, claim.fence) for claim in self.running]
        ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now, running=alive)

    def run_out(self) -> None:
        """Let time pass and everything that can run end well, until nothing changes any more."""
        ground = self.ground
        ground.sync(self.spec)
        self.running = []
        self.crash()
        for _ in range(100):
            ground.clock.advance(100_000)
            ground.wake()
            claimed = [claim for one in self.spec.stages for claim in ground.claim(one.name)]
            claimed = claimed or self.suspect()
            if not claimed:
                return
            ground.end(*(finished(claim) for claim in claimed))
        raise AssertionError("it never comes to an end")

    def suspect(self) -> list[claims.Claim]:
        """What was interrupted too often to run beside others runs by itself."""
        ground = self.ground
        return ground.do(suspects.claim, ground.plan, list(ground.plan.stages), ground.lease, ground.now, alone=True)

    def check(self) -> None:
        assert self.ground.counts() == self.ground.recount()
        assert self.ground.rows("PRAGMA foreign_key_check") == []
        assert self.ground.rows(RESTLESS) == []
        assert self.ground.rows(STALE) == []


def with_history(spec: JobSpec, acts: list[tuple[str, str, int]], check: Callable[[History], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder), spec)
        try:
            history.ground.add(*KEYS[:2])
            for act in acts:
                history.act(*act)
            check(history)
        finally:
            history.ground.close()


histories = st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(KEYS), st.integers(0, 30)), max_size=25)
some = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@some
@given(dags(), histories)
def test_counts_are_right_after_anything(spec: JobSpec, acts: list[tuple[str, str, int]]) -> None:
    with_history(spec, acts, History.check)


@some
@given(dags(), histories)
def test_no_item_is_stranded_in_any_shape(spec: JobSpec, acts: list[tuple[str, str, int]]) -> None:
    with_history(spec, acts, nobody_is_stranded)


@some
@given(dags(shapes=False), histories)
def test_no_item_is_stranded_in_a_row(spec: JobSpec, acts: list[tuple[str, str, int]]) -> None:
    with_history(spec, acts, nobody_is_stranded)


def nobody_is_stranded(history: History) -> None:
    """When all that can run has run, each item is settled, failed, or waits for a person; nothing is merely stuck."""
    history.run_out()
    history.check()
    ground = history.ground
    after = {one.name: one.after for one in history.spec.stages}
    for item in ground.rows("SELECT * FROM items"):
        states = ground.states(item["key"])
        own = states.pop(item["key"])
        if own in ("dropped", "gone"):
            continue
        assert own in ("done", "skipped", "failed", "waiting"), states
        if own in ("done", "skipped"):
            assert set(states.values()) <= SATISFIED, states
        for name, state in states.items():
            assert state not in ("ready", "running", "later"), states
            if state == "blocked":
                assert any(states[before] not in SATISFIED for before in after[name]), (name, states)


def test_long_chain_is_run_in_order(make_ground: Callable[..., Ground]) -> None:
    names = tuple(f"s{number}" for number in range(60))
    ground = make_ground(job("docs", *chain(*names)))
    ground.add("a")
    claimed = ground.claim(names[0])
    for name in names:
        assert [claim.stage.spec.name for claim in claimed] == [name]
        claimed = ground.end(*(finished(claim) for claim in claimed), free=dict.fromkeys(names, 1)).claims
    assert ground.item("a")["state"] == "done"
