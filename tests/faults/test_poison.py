"""Handlers that do the worst they can, all at once beside good ones: the engine and the good ones do not notice."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.contracts.spec import Settings
from engine.kit.clock import SystemClock
from tests.factories import Rig, job, stage

TIMEOUT_S = 3.0
GOOD = 20
MARK = "RIVUS_TEST_POISON"

PLUGIN = """
import asyncio, ctypes, itertools, json, logging, math, os, re, resource, shutil, signal, socket, subprocess, sys
import tempfile, threading, time

from engine.contracts.item import Candidate
from engine.contracts.outcome import Done

SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]

# What ends well, and must leave nothing behind

def good(ctx): return {"pid": os.getpid(), "cwd": os.getcwd(), "umask": os.umask(0o077) and None}
def child(ctx): subprocess.Popen(SLEEP); return {}
def grandchild(ctx):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(SLEEP[0], SLEEP)
        os._exit(0)
    os.wait()
    return {}
def stubborn_child(ctx):
    code = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; time.sleep(600)"
    subprocess.Popen([*SLEEP[:4], code], start_new_session=True)
    return {}
def both_return(ctx): os.fork(); return {"one": True}
def surroundings(ctx):
    os.chdir("/"); os.umask(0); os.environ.clear(); signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout = sys.stderr = None; logging.disable(logging.CRITICAL); socket.setdefaulttimeout(0.001)
    return {}
def no_folder(ctx):
    folder = tempfile.mkdtemp(); os.chdir(folder); shutil.rmtree(folder); return {}
def spinning_thread(ctx):
    threading.Thread(target=lambda: [0 for _ in itertools.count()], daemon=True).start(); return {}
def waiting_alarm(ctx): signal.setitimer(signal.ITIMER_REAL, 0.2); return {}
def no_exit(ctx): threading.Thread(target=time.sleep, args=(600,)).start(); return {}
def surrogate(ctx): return {"x": "\\ud800", "\\0": 2**63}
def logs(ctx):
    for n in range(20_000): ctx.log.error("line %d %s", n, "x" * 500)
    return {}
def prints(ctx):
    for _ in range(60): os.write(1, b"\\x1b[2Jx" * 10_000)
    return {}
def odd_progress(ctx): ctx.progress(float("inf"), -1, "\\x1b]0;x"); ctx.progress(0, None, "y" * 1_000_000); return {}

# What never ends by itself

def spin(ctx):
    while True: pass
def spin_in_c(ctx): all(itertools.repeat(True))
def regex(ctx): re.match(r"(a+)+$", "a" * 60 + "b")
def swallows(ctx):
    while True:
        try: time.sleep(600)
        except BaseException: pass
def stops_itself(ctx): os.kill(os.getpid(), signal.SIGSTOP)
def waits_for_child(ctx): subprocess.run(SLEEP, start_new_session=True)
def hanging_error(ctx):
    class Hanging(Exception):
        def __str__(self): time.sleep(600)
    raise Hanging
async def never(ctx): await asyncio.Event().wait()
async def busy(ctx):
    while True: pass

# What fails

def leaves(ctx): os._exit(0)
def leaves_with_code(ctx): os._exit(7)
def aborts(ctx): os.abort()
def segfaults(ctx): ctypes.string_at(0)
def kills_itself(ctx): os.kill(os.getpid(), signal.SIGKILL)
def terminates_group(ctx): os.killpg(0, signal.SIGTERM); time.sleep(600)
def exits(ctx): sys.exit(3)
def interrupts(ctx): raise KeyboardInterrupt
def base(ctx): raise BaseException("odd")
def one_allocation(ctx): return {"n": len(bytearray(10 << 30))}
def all_memory(ctx):
    kept = []
    while True: kept.append(bytearray(512 << 20))
def fork_bomb(ctx):
    while True:
        try: os.fork()
        except OSError: pass
def closes_files(ctx): os.closerange(3, 256); return {}
def all_files(ctx): return {"n": len([open(os.devnull) for _ in itertools.count()])}
def large_file(ctx):
    with open(ctx.artifact_dir / "large", "wb") as file: file.truncate(1 << 40)
def junk_on_link(ctx):
    for fd in range(3, 32):
        try: os.write(fd, b"\\0\\0\\0\\5junk!")
        except OSError: pass
    time.sleep(1)
def not_a_number(ctx): return {"x": math.nan}
def bytes_result(ctx): return {"x": b"y"}
def object_result(ctx): return {"x": lambda: 0}
def no_dict(ctx): return [1, 2]
def large_result(ctx): return {"x": "y" * 2_000_000}
def huge_result(ctx): return {"x": "y" * 50_000_000}
def deep_result(ctx):
    deep = []
    for _ in range(5_000): deep = [deep]
    return {"x": deep}
def cycle(ctx): it = {}; it["it"] = it; return it
def many_children(ctx):
    for n in range(100_000): ctx.emit(Candidate(key=f"k{n}"))
    return {}
def recursion(ctx): return recursion(ctx)
def unspeakable(ctx):
    class Unspeakable(Exception):
        def __str__(self): raise RuntimeError("no words")
    raise Unspeakable
def endless_words(ctx): raise ValueError("\\x1b[2J" + "x" * 50_000_000)
def bad_checkpoint(ctx): ctx.checkpoint.save_and_wait("x" * 100_000)
"""

WELL = (
    *("child", "grandchild", "stubborn_child", "both_return", "surroundings", "no_folder", "spinning_thread"),
    *("waiting_alarm", "no_exit", "surrogate", "logs", "prints", "odd_progress"),
)
ENDLESS = (
    *("spin", "spin_in_c", "regex", "swallows", "stops_itself", "waits_for_child", "hanging_error", "never", "busy"),
)
FAILS = {
    "leaves": "WorkerDied",
    "leaves_with_code": "WorkerDied",
    "aborts": "WorkerDied",
    "segfaults": "WorkerDied",
    "kills_itself": "WorkerDied",
    "terminates_group": "WorkerDied",
    "exits": "SystemExit",
    "interrupts": "KeyboardInterrupt",
    "base": "BaseException",
    "one_allocation": "MemoryError",
    "all_memory": "MemoryError",
    "fork_bomb": "WorkerDied",
    "closes_files": "WorkerDied",
    "junk_on_link": "WorkerDied",
    "all_files": "OSError",
    "large_file": "OSError",
    "not_a_number": "ValueError",
    "bytes_result": "TypeError",
    "object_result": "TypeError",
    "no_dict": "BadResult",
    "large_result": "BadResult",
    "huge_result": "FrameError",
    "deep_result": "RecursionError",
    "cycle": "ValueError",
    "many_children": "TooManyEmitted",
    "recursion": "RecursionError",
    "unspeakable": "unspeakable.<locals>.Unspeakable",
    "endless_words": "ValueError",
    "bad_checkpoint": "AskedInVain",
}

ALL = (*WELL, *ENDLESS, *FAILS)
FEW = ("grandchild", "both_return", "surroundings", "spin_in_c", "leaves", "one_allocation")


@pytest.fixture
def marked() -> Iterator[str]:
    """A mark in the environment of everything that is started below this test."""
    os.environ[MARK] = mark = f"{os.getpid()}-{time.monotonic_ns()}"
    yield mark
    del os.environ[MARK]


def survivors(mark: str) -> list[str]:
    """Processes that carry the mark and still run; `surroundings` clears its own, and starts nothing."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("chosen", [pytest.param(ALL, marks=pytest.mark.deep, id="all"), pytest.param(FEW, id="few")])
async def test_worst_handlers_all_at_once_harm_nobody(
    tmp_path: Path, marked: str, monkeypatch: pytest.MonkeyPatch, chosen: tuple[str, ...]
) -> None:
    monkeypatch.setattr(logging.getLogger("rivus.handler"), "propagate", False)
    name = f"poison_{next(itertools.count(time.monotonic_ns()))}"
    (tmp_path / f"{name}.py").write_text(PLUGIN, encoding="utf-8")
    kinds, well, endless = (
        chosen,
        [kind for kind in WELL if kind in chosen],
        [kind for kind in ENDLESS if kind in chosen],
    )
    fails = {kind: error for kind, error in FAILS.items() if kind in chosen}
    more: dict[str, Any] = {"attempts": 1, "timeout_s": TIMEOUT_S, "runs": "process", "concurrency": 8}
    it = Rig(
        tmp_path,
        *(job(kind, stage(handler=kind, **more)) for kind in kinds),
        job("good", stage(handler="good", attempts=1, runs="process", concurrency=8)),
        settings=Settings(workers=4, worker_memory=2 << 30),
        clock=SystemClock(),  # type: ignore[arg-type]
        source=(tmp_path / "jobs.yaml", name),
    )
    lags: list[float] = []
    async with it:
        watch = asyncio.ensure_future(_measure_lag(lags))
        for kind in kinds:
            await it.add("a", job=kind)
        await it.add(*(f"g{n}" for n in range(GOOD)), job="good")
        await it.drained(seconds=120)
        watch.cancel()
        ends = {kind: it.states("a", kind)["work"] for kind in kinds}
        assert ends == dict.fromkeys(well, "done") | dict.fromkeys((*endless, *fails), "failed")
        assert {it.states(f"g{n}", "good")["work"] for n in range(GOOD)} == {"done"}
        problems = {}
        for kind in (*endless, *fails):
            detail = it.reader.item(kind, "a")
            assert detail is not None
            problems[kind] = detail.attempts[0].error_type
            if kind in ("fork_bomb", "all_memory") and problems[kind] == "TimeoutError":
                problems[kind] = fails[kind]  # on a busy machine its time may be over before it reaches its limit
        assert problems == dict.fromkeys(endless, "TimeoutError") | fails
        took = [ms for (ms,) in _took(it)]
        assert len(took) == len(kinds) + GOOD
        assert max(took) <= (TIMEOUT_S + 1.0) * 1_000
        for n in range(GOOD):
            detail = it.reader.item("good", f"g{n}")
            assert detail is not None
            assert detail.stages[0].output is not None
            assert detail.stages[0].output["cwd"] == os.getcwd()
    assert survivors(marked) == []
    lags.sort()
    assert lags[len(lags) // 2] < 0.025


async def _measure_lag(lags: list[float]) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        lags.append(time.monotonic() - before - 0.01)


def _took(it: Rig) -> list[tuple[int]]:
    sql = "SELECT ms FROM events WHERE kind IN ('stage.done', 'stage.failed')"
    return it.reader._connection.execute(sql).fetchall()
