"""kill -9 in the middle of the work: nothing lost, nothing twice but what was in flight, and it goes on at once."""

from __future__ import annotations

import signal
from collections.abc import Callable

import psutil
import pytest

from tests.acceptance.waiting import wait_until
from tests.faults.plant import STAGES, Plant, now

NewPlant = Callable[..., Plant]


@pytest.mark.parametrize("args", [("--serve",), ("run", "boxes", "--once")], ids=["serve", "run --once"])
def test_killed_engine_loses_nothing_and_repeats_only_what_was_in_flight(
    new_plant: NewPlant, args: tuple[str, ...]
) -> None:
    plant = new_plant()
    first = plant.start("run", "boxes")
    plant.wait_for(250)
    plant.kill(first)
    in_flight = plant.rows("running")
    done = plant.rows("done")
    assert 0 < len(in_flight) <= 8 * len(STAGES)
    assert done

    started = now()
    second = plant.start(*args)
    wait_until(lambda: len(plant.rows("done")) == plant.n * len(STAGES), lambda: plant.query("SELECT * FROM events"))
    assert (
        min(note.at for note in plant.ledger("began", second.pid)) - started < 15.0
    )  # nothing waits for the lease of 60 s; the benchmark w5 shows how soon
    if args == ("--serve",):
        second.send_signal(signal.SIGTERM)
    plant.ended(second, 0)

    assert plant.is_whole()
    began = plant.times("began")
    assert {row for row, times in began.items() if times > 1} <= in_flight
    assert max(began.values()) <= 2  # what was claimed but had not begun at the kill began once
    assert not done & {(note.stage, note.key) for note in plant.ledger("began", second.pid)}


def test_engine_killed_again_and_again_still_finishes(new_plant: NewPlant) -> None:
    plant = new_plant(n=120)
    for _ in range(2):
        engine = plant.start("run", "boxes")
        plant.wait_for(60, pid=engine.pid)
        plant.kill(engine)
    plant.run_to_the_end()
    assert plant.is_whole()
    assert max(plant.times("began").values()) <= 3


def test_engine_killed_while_it_starts_or_discovers_leaves_a_sound_state(new_plant: NewPlant) -> None:
    plant = new_plant(n=2_000)
    for event in ("engine.started", "run"):
        engine = plant.start("run", "boxes")
        if event == "engine.started":
            wait_until(lambda: (plant.state / "rivus.db").exists(), lambda: "no state file")
        else:
            plant.wait_for(1, "began", pid=engine.pid)
        plant.kill(engine)
    plant.run_to_the_end()
    assert plant.is_whole()
    states = [state for (state,) in plant.query("SELECT state FROM runs ORDER BY id")]
    assert states[-1] == "done"
    assert set(states[:-1]) <= {"cut", "done"}


def test_item_that_kills_the_engine_is_held_and_the_innocents_beside_it_are_not(new_plant: NewPlant) -> None:
    plant = new_plant(handler="poisoned", n=6)
    for _ in range(3):
        plant.ended(plant.start("run", "boxes", "--once"), -signal.SIGKILL)
    plant.ended(plant.start("run", "boxes", "--once"), 0)
    innocent = {(stage, f"box-{n:04}") for stage in STAGES for n in range(6) if n != 1}
    assert plant.rows("done") == innocent
    assert plant.rows("waiting") == {("cut", "box-0001")}
    ((why,),) = plant.query("SELECT why FROM item_stages WHERE (state, item_id) = ('waiting', 2)")
    assert why.startswith("interrupted 3 times while it ran")
    began = plant.times("began")
    assert began["cut", "box-0001"] == 3
    assert max(began.values()) == 3
    # The third time it ran alone: nothing else was interrupted with it.
    assert len(plant.query("SELECT id FROM events WHERE kind = 'stage.interrupted' AND item_id <> 2")) <= 10


@pytest.mark.parametrize("handler", ["long", "plain"])
def test_attempt_that_may_happen_once_only_waits_for_a_person_after_a_kill(new_plant: NewPlant, handler: str) -> None:
    plant = new_plant(handler=handler, n=1)
    config = plant.root / "jobs.yaml"
    config.write_text(config.read_text().replace("cut: {", "cut: {on_interrupt: hold, "))
    engine = plant.start("run", "boxes")
    plant.wait_for(1, "began")
    plant.kill(engine)
    plant.open_gate()
    plant.ended(plant.start("run", "boxes", "--once"), 0)
    assert plant.rows("waiting") == {("cut", "box-0000")}
    assert plant.times("began").total() == 1
    plant.ended(plant.start("items", "answer", "boxes", "box-0000", "--answer", "again"), 0)
    plant.run_to_the_end()
    assert plant.is_whole()


def test_workers_die_with_their_engine(new_plant: NewPlant) -> None:
    plant = new_plant(handler="plain", n=6)
    engine = plant.start("run", "boxes")
    plant.wait_for(2, "began")
    workers = {note.pid for note in plant.ledger("began")}
    assert len(workers) == 2
    assert engine.pid not in workers
    plant.kill(engine)
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers), lambda: f"alive: {workers}")
    assert plant.times("ended").total() == 0

    plant.open_gate()
    plant.run_to_the_end()
    assert plant.is_whole()
    assert sorted(plant.times("began").values(), reverse=True)[:3] == [2, 2, 1]


def test_worker_that_dies_fails_only_its_own_attempt(new_plant: NewPlant) -> None:
    plant = new_plant(handler="dying", n=4)
    config = plant.root / "jobs.yaml"
    config.write_text(config.read_text().replace("concurrency: 8", "concurrency: 8, attempts: 1"))
    out, _ = plant.ended(plant.start("run", "boxes", "--once"), 1)
    assert "3 done, 1 failed" in out
    assert plant.rows("failed") == {("cut", "box-0001")}
    ((message,),) = plant.query("SELECT message FROM attempts")
    assert "SIGKILL" in message
