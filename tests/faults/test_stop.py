"""SIGTERM and its friends: work that runs may end, the rest is released, and the state directory is free."""

from __future__ import annotations

import concurrent.futures
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.contracts.spec import ProjectSpec, Settings
from engine.facade import Engine
from engine.store.state_dir import StateDir
from tests.acceptance.command_line import RIVUS
from tests.acceptance.waiting import wait_until
from tests.architecture.source import ROOT
from tests.faults.plant import STAGES, Plant, now

NewPlant = Callable[..., Plant]


def test_sigterm_drains_and_the_rest_waits_for_the_next_engine(new_plant: NewPlant) -> None:
    plant = new_plant()
    engine = plant.start("run", "boxes")
    plant.wait_for(100)
    engine.send_signal(signal.SIGTERM)
    _, err = plant.ended(engine, 0)
    assert "SIGTERM: stopping" in err
    assert plant.times("began") == plant.times("ended")
    assert plant.rows("done") == set(plant.times("ended"))
    assert plant.rows("running") == set()
    assert plant.rows("ready")

    plant.run_to_the_end()
    assert plant.is_whole()
    assert set(plant.times("began").values()) == {1}


def test_work_that_outlives_the_grace_is_released_without_using_an_attempt(new_plant: NewPlant) -> None:
    plant = new_plant(handler="long", n=4, grace="200ms")
    engine = plant.start("run", "boxes")
    plant.wait_for(4, "began")
    engine.send_signal(signal.SIGTERM)
    plant.ended(engine, 0)
    assert plant.rows("ready") == {("cut", f"box-{n:04}") for n in range(4)}
    assert plant.query("SELECT max(attempts), max(interruptions) FROM item_stages") == [(0, 0)]

    plant.open_gate()
    plant.run_to_the_end()
    assert plant.is_whole()


def test_second_sigterm_stops_at_once(new_plant: NewPlant) -> None:
    plant = new_plant(handler="long", n=4, grace="1h")
    engine = plant.start("run", "boxes")
    plant.wait_for(4, "began")
    assert engine.stderr is not None
    engine.send_signal(signal.SIGTERM)
    for line in engine.stderr:
        if "SIGTERM: stopping; 4 running" in line:
            break
    asked = now()
    engine.send_signal(signal.SIGTERM)
    plant.ended(engine, 0)
    assert now() - asked < 20.0  # the grace is an hour
    assert plant.rows("running") == set()
    assert len(plant.rows("ready")) == 4


def test_second_sigterm_ends_an_engine_whose_loop_does_not_turn(new_plant: NewPlant) -> None:
    plant = new_plant(handler="still", n=2)
    engine = plant.start_patched("import engine.facade as f; f.AT_ONCE_S = 0.1", "run", "boxes")
    plant.wait_for(1, "began")
    assert engine.stderr is not None
    engine.send_signal(signal.SIGTERM)
    for line in engine.stderr:
        if "SIGTERM: stopping" in line:
            break
    engine.send_signal(signal.SIGTERM)
    plant.ended(engine, 1)
    plant.open_gate()
    plant.run_to_the_end()
    assert plant.is_whole()


def test_interrupted_run_once_lets_running_work_end(new_plant: NewPlant) -> None:
    plant = new_plant(handler="long", n=2)
    engine = plant.start("run", "boxes", "--once")
    plant.wait_for(2, "began")
    engine.send_signal(signal.SIGINT)
    plant.open_gate()
    plant.ended(engine, 130)
    assert plant.times("ended").total() == 2
    assert plant.rows("running") == set()


def test_interrupted_run_once_says_so_in_its_code(new_plant: NewPlant) -> None:
    plant = new_plant(handler="long", n=2, grace="0s")
    engine = plant.start("run", "boxes", "--once")
    plant.wait_for(2, "began")
    engine.send_signal(signal.SIGINT)
    plant.ended(engine, 130)
    assert plant.rows("running") == set()


def test_engine_stopped_for_longer_than_its_leases_goes_on_with_its_own_work(new_plant: NewPlant) -> None:
    plant = new_plant(handler="long", n=6)
    patch = "import engine.store.writer as w, engine.services.timers as t; w.LEASE_MS = 400; t.HEARTBEAT_S = 0.1"
    engine = plant.start_patched(patch, "run", "boxes", "--once")
    plant.wait_for(6, "began")
    engine.send_signal(signal.SIGSTOP)
    leases = "SELECT max(lease_until) FROM item_stages WHERE state = 'running'"
    wait_until(lambda: int(plant.query(leases)[0][0]) < (now() - 0.5) * 1000, lambda: plant.query(leases))
    plant.open_gate()
    engine.send_signal(signal.SIGCONT)
    plant.ended(engine, 0)
    assert plant.is_whole()
    assert set(plant.times("began").values()) == {1}
    assert plant.times("ended").total() == 6 * len(STAGES)


def test_sigterm_right_after_the_engine_says_that_it_serves_is_heard(new_plant: NewPlant) -> None:
    plant = new_plant(n=0)
    for _ in range(8):
        engine = plant.start()
        assert engine.stderr is not None
        next(line for line in engine.stderr if line.startswith("rivus serves"))
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(timeout=60) == 0


def test_thread_that_nobody_waits_for_does_not_keep_the_program(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import asyncio, threading\n\n\n"
        "async def find(ctx):\n"
        "    (ctx.root / 'began').touch()\n"
        "    await asyncio.to_thread(threading.Event().wait, 600)\n"
        "    yield\n\n\n"
        "async def work(ctx):\n"
        "    return {}\n"
    )
    (tmp_path / "jobs.yaml").write_text(
        "jobs: {j: {discovery: {use: slow.find}, stages: [{a: {handler: slow.work}}]}}\n"
    )
    line = [str(RIVUS), "--state", str(tmp_path / "state"), "--trust", "run", "j", "--once"]
    with subprocess.Popen(line, cwd=tmp_path) as engine:
        wait_until((tmp_path / "began").exists, lambda: "the discovery did not begin")
        engine.send_signal(signal.SIGINT)
        assert engine.wait(timeout=60) == 130  # the thread waits for ten minutes


def test_interrupt_while_the_engine_begins_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(concurrent.futures.Future[None]):
        def result(self, timeout: float | None = None) -> None:
            concurrent.futures.wait({self})
            raise KeyboardInterrupt

    monkeypatch.setattr("engine.facade.concurrent.futures.Future", Interrupted)
    spec = ProjectSpec(root=tmp_path, source=None, settings=Settings(), jobs=())
    engine = Engine(spec, StateDir(tmp_path / "state"), mode="run")
    with pytest.raises(KeyboardInterrupt):
        engine.start()
    assert engine.stopped.is_set()


def test_room_whose_terminal_went_before_it_listened_ends() -> None:
    code = (
        "import threading, types\n"
        "from rivus_tui.cli.room import _signals\n"
        "app = types.SimpleNamespace(call_later=lambda *_, **__: None, exit=None)\n"
        "with _signals(app, None):\n"
        "    threading.Event().wait()\n"
    )
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 128 + signal.SIGHUP
