"""Plain functions in worker processes: what they do to their process stays there."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.work.attempt_log import LINES_MAX
from engine.work.attempts import ABANDON_S
from engine.work.process import PRINTED_MAX, WorkerDied
from engine.work.processes import WorkerProcesses
from tests.factories import Rig, job, stage
from tests.kit.web import reply, web

PLUGIN = """
import asyncio, logging, os, signal, subprocess, sys, threading, time

from engine.contracts.item import Candidate
from engine.contracts.outcome import Done

def echo(ctx):
    ctx.log.warning("working on %s", ctx.item.key)
    ctx.progress(1, 2, "half")
    ctx.emit(Candidate(key="child"), job="other")
    return Done(output={"key": ctx.item.key, "params": dict(ctx.params), "up": dict(ctx.upstream), "pid": os.getpid(),
                        "cwd": os.getcwd(), "env": os.environ.get("LEFT_BEHIND"), "nice": os.nice(0)})

def leave(ctx): os._exit(7)
def pays(ctx):
    ctx.paid(40)
    os._exit(7)
def abort(ctx): os.abort()
def kill(ctx): os.kill(os.getpid(), signal.SIGKILL)
def spin(ctx):
    while True:
        pass
def exits(ctx): sys.exit(3)
def interrupt(ctx): raise KeyboardInterrupt
def raises(ctx): raise ValueError("no such page")
def huge(ctx): return {"x": "y" * 10_000_000}
def large(ctx): return {"x": "y" * 2_000_000}
def odd(ctx): return {"x": {1, 2}}
def nothing(ctx): return None
def prints(ctx):
    print("printed", flush=True)
    os.write(1, b"z" * 200_000 + b"\\n")
    subprocess.run(["echo", "from a child"])
    print("end", flush=True)
    return {}
def mess(ctx):
    os.chdir("/")
    os.umask(0)
    os.environ["LEFT_BEHIND"] = "yes"
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    sys.stdout = None
    return {"cwd": os.getcwd()}
def child(ctx):
    process = subprocess.Popen(["sleep", "600"])
    ctx.progress(process.pid)
    time.sleep(600)
def floods(ctx):
    for _ in range(30):
        os.write(1, b"z" * 100_000 + b"\\n")
    return {}
def thread(ctx):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    return {}
def alarm(ctx):
    signal.alarm(60)
    return {}
def opens(ctx):
    ctx.params["kept"] = KEPT.extend(open(os.devnull) for _ in range(50))
    return {}
KEPT = []
def saves(ctx):
    before = ctx.checkpoint.load()
    ctx.checkpoint.save_and_wait({"page": 3})
    return {"before": before, "after": ctx.checkpoint.load()}
def saves_in_vain(ctx):
    ctx.checkpoint.save_and_wait("refused")
async def waits(ctx):
    await asyncio.sleep(0)
    await ctx.checkpoint.save({"page": 9})
    return {"after": ctx.checkpoint.load()}
def counts(ctx):
    for n in range(10_001):
        ctx.progress(n, 10_000)
    time.sleep(0.3)
    return {}
def chatters(ctx):
    for n in range(5_000):
        ctx.log.info("line %d", n)
    return {}
def fetches(ctx):
    return {"text": ctx.http.get_and_wait(ctx.params["url"]).text, "pid": os.getpid()}
def fetches_home(ctx):
    ctx.http.get_and_wait("http://127.0.0.1:1/")
async def stubborn(ctx):
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            if ENOUGH.is_set():
                raise
ENOUGH = threading.Event()
async def blocks(ctx):
    time.sleep(2.5)
    return {"pid": os.getpid()}
def until_cancelled(ctx):
    ctx.log.warning("waits")
    while not ctx.cancelled:
        time.sleep(0.01)
    return {"cancelled": True}
def big_log(ctx):
    ctx.log.warning("w" * 100_000)
    return {}
"""

MEMORY = 1 << 30
_numbers = itertools.count()


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    """The plugin's name; it lies in `tmp_path`."""
    name = f"worker_plugin_{next(_numbers)}"
    (tmp_path / f"{name}.py").write_text(PLUGIN, encoding="utf-8")
    return name


class Pool:
    """Worker processes, and what they tell."""

    def __init__(
        self, processes: WorkerProcesses, folder: Path, plugin: str, params: Mapping[str, Any] | None = None
    ) -> None:
        self.processes = processes
        self.said: list[dict[str, Any]] = []
        self.told = asyncio.Event()
        self._folder = folder
        self._plugin = plugin
        self._params = params or {"depth": 2}

    def heard(self, message: dict[str, Any]) -> None:
        self.said.append(message)
        self.told.set()

    async def asked(self, what: str, value: Any) -> Any:
        if value == "refused":
            raise ValueError("not now")
        self.said.append({"kind": what, "value": value})

    async def call(self, function: str) -> dict[str, Any]:
        message = {
            "handler": f"{self._plugin}.{function}",
            "kind": "call",
            "job": "docs",
            "stage": "work",
            "item": {"key": "a", "title": "A", "data": {}, "path": None, "line": None, "headings": ["H"]},
            "upstream": {"read": {"n": 1}},
            "attempt": 1,
            "params": self._params,
            "root": str(self._folder),
            "artifacts": str(self._folder / "artifacts"),
            "answer": None,
            "checkpoint": {"page": 2},
        }
        async with asyncio.timeout(20):
            return await self.processes.call(message, self, started=lambda: None)


@asynccontextmanager
async def pool(folder: Path, plugin: str, size: int = 1) -> AsyncIterator[Pool]:
    processes = WorkerProcesses(size, folder=folder, memory=MEMORY)
    try:
        yield Pool(processes, folder, plugin)
    finally:
        await processes.close()


async def test_plain_function_runs_in_another_process(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        answer = await it.call("echo")
        again = await it.call("echo")
    output = answer["outcome"]["output"]
    assert (output["key"], output["params"], output["up"]) == ("a", {"depth": 2}, {"read": {"n": 1}})
    assert output["pid"] != os.getpid()
    assert output["nice"] >= 5
    assert again["outcome"]["output"]["pid"] == output["pid"]
    assert answer["emit"][0][0] == "other"
    assert [message["kind"] for message in it.said] == ["log", "progress"] * 2
    assert it.said[0]["text"] == "working on a"


async def test_process_that_ends_is_told_and_replaced(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        for function, how in (("leave", "with code 7"), ("abort", "by SIGABRT"), ("kill", "by SIGKILL")):
            with pytest.raises(WorkerDied, match=how):
                await it.call(function)
        assert (await it.call("echo"))["kind"] == "ended"


async def test_idle_process_that_was_killed_is_replaced(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        pid = (await it.call("echo"))["outcome"]["output"]["pid"]
        (worker,) = it.processes._idle
        os.kill(pid, signal.SIGKILL)
        await worker.process.wait()
        assert (await it.call("echo"))["outcome"]["output"]["pid"] != pid


async def test_what_a_function_raises_is_told_and_the_process_stays(tmp_path: Path, plugin: str) -> None:
    expected = {
        "exits": "SystemExit",
        "interrupt": "KeyboardInterrupt",
        "raises": "ValueError",
        "huge": "FrameError",
        "odd": "TypeError",
        "missing": "Unresolved",
    }
    async with pool(tmp_path, plugin) as it:
        pid = (await it.call("echo"))["outcome"]["output"]["pid"]
        found = {function: (await it.call(function)) for function in expected}
        assert {function: answer["type"] for function, answer in found.items()} == expected
        assert "no such page" in found["raises"]["message"]
        assert "raises" in found["raises"]["trace"]
        assert (await it.call("echo"))["outcome"]["output"]["pid"] == pid
        assert (await it.call("nothing"))["outcome"] == {"kind": "none", "type": "nothing"}
        await it.call("big_log")
        assert len(it.said[-1]["text"]) == 4_000


async def test_printed_text_is_told_and_bounded(tmp_path: Path, plugin: str, capfd: pytest.CaptureFixture[str]) -> None:
    async with pool(tmp_path, plugin) as it:
        await it.call("prints")
    told = [message["text"] for message in it.said if message["kind"] == "printed"]
    assert told[0] == "printed"
    assert told[-2:] == ["from a child", "end"]
    assert max(map(len, told)) <= 4_000
    assert sum(map(len, told)) > 4_000
    assert capfd.readouterr() == ("", "")


async def test_flood_of_output_is_dropped_and_does_not_stop_the_function(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        assert (await it.call("floods"))["kind"] == "ended"
    told = [message["text"] for message in it.said if message["kind"] == "printed"]
    assert sum(map(len, told)) < 2 * PRINTED_MAX
    assert "dropped" in told[-1]


async def test_what_a_function_does_to_its_process_stays_there(tmp_path: Path, plugin: str) -> None:
    before = os.getcwd(), os.environ.get("LEFT_BEHIND"), signal.getsignal(signal.SIGTERM)
    async with pool(tmp_path, plugin) as it:
        assert (await it.call("mess"))["outcome"]["output"] == {"cwd": "/"}
        assert (await it.call("echo"))["kind"] == "ended"
    assert (os.getcwd(), os.environ.get("LEFT_BEHIND"), signal.getsignal(signal.SIGTERM)) == before


async def test_process_that_a_function_has_changed_is_replaced(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        first = (await it.call("echo"))["outcome"]["output"]
        for function in ("mess", "thread", "alarm", "opens"):
            assert (await it.call(function))["kind"] == "ended"
            after = (await it.call("echo"))["outcome"]["output"]
            assert after["pid"] != first["pid"]
            assert (after["cwd"], after["env"]) == (first["cwd"], None)
            first = after


async def test_checkpoint_goes_over_the_link_and_waits_for_its_answer(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        answer = await it.call("saves")
        assert answer["outcome"]["output"] == {"before": {"page": 2}, "after": {"page": 3}}
        assert it.said == [{"kind": "checkpoint", "value": {"page": 3}}]
        refused = await it.call("saves_in_vain")
        assert (refused["type"], refused["message"]) == ("AskedInVain", "ValueError: not now")


async def test_async_function_runs_in_a_process_too(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        assert (await it.call("waits"))["outcome"]["output"] == {"after": {"page": 9}}


async def test_newest_progress_is_told_even_if_the_function_goes_on_without_more(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        await it.call("counts")
    told = [message for message in it.said if message["kind"] == "progress"]
    assert told[-1]["done"] == 10_000
    assert len(told) < 20


async def test_log_of_one_call_is_bounded(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        await it.call("chatters")
    told = [message["text"] for message in it.said if message["kind"] == "log"]
    assert len(told) == LINES_MAX + 1
    assert told[-1] == "3,000 more lines were not kept: the handler logs too much"


async def test_cancelled_call_takes_its_process_and_its_children_along(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin) as it:
        call = asyncio.ensure_future(it.call("child"))
        async with asyncio.timeout(20):
            await it.told.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not is_running(it.said[0]["done"])
        assert (await it.call("echo"))["kind"] == "ended"


def is_running(pid: int) -> bool:
    """Whether a process is there and is more than a zombie; looks for a second, since the kernel takes its time."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if state in "ZX":
            return False
        time.sleep(0.01)
    return True


async def test_no_more_processes_than_allowed(tmp_path: Path, plugin: str) -> None:
    async with pool(tmp_path, plugin, size=2) as it:
        answers = await asyncio.gather(*(it.call("echo") for _ in range(8)))
        assert len({answer["outcome"]["output"]["pid"] for answer in answers}) <= 2


def test_process_dies_with_its_engine(tmp_path: Path, plugin: str) -> None:
    script = f"""
        import asyncio, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent.parent.parent)!r})
        from tests.work.test_worker import Pool
        from engine.work.processes import WorkerProcesses
        async def main():
            folder = Path({str(tmp_path)!r})
            it = Pool(WorkerProcesses(1, folder=folder, memory=4 << 30), folder, {plugin!r})
            answer = await it.call("echo")
            print(answer["outcome"]["output"]["pid"], flush=True)
            await it.call("spin")
        asyncio.run(main())
    """
    engine = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    pid = int(engine.stdout.readline())
    engine.kill()
    engine.wait()
    engine.stdout.close()
    assert not is_running(pid)


def rig(folder: Path, plugin: str, function: str, *, is_async: bool = False, **more: Any) -> Rig:
    """A runtime with one job of one stage, a function of the plugin."""
    it = Rig(folder, job("docs", stage(is_async=is_async, **more)))
    spec = it._project
    handler = spec.jobs[0].stages[0]
    it._project = type(spec)(
        root=folder,
        source=folder / "jobs.yaml",
        settings=spec.settings,
        jobs=(job("docs", type(handler)(name="work", handler=f"{plugin}.{function}", is_async=is_async, **more)),),
    )
    return it


async def test_function_in_a_pool_that_a_reload_has_replaced_hears_that_it_should_end(
    tmp_path: Path, plugin: str
) -> None:
    async with rig(tmp_path, plugin, "until_cancelled", attempts=1) as it:
        await it.add("a")
        attempts, before = it.runtime.attempts, it.runtime.processes
        await it.until(lambda: any(run.kept is not None for run in attempts._runs.values()))
        attempts._processes = WorkerProcesses(1, folder=tmp_path, memory=4 << 30)
        attempts.ask()
        await it.until(lambda: it.states("a")["work"] == "done")
        attempts._processes = before


async def test_code_that_was_edited_before_a_process_imported_it_does_not_run_under_the_old_version(
    tmp_path: Path, plugin: str
) -> None:
    file = tmp_path / f"{plugin}.py"
    before = file.stat()
    async with rig(tmp_path, plugin, "echo", attempts=1) as it:
        file.write_text(PLUGIN + "# edited\n", encoding="utf-8")
        await it.add("a")
        await it.until(lambda: it.states("a")["work"] == "later")
        detail = it.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[0].why == f"{file} was edited, and is not taken over yet"
        assert (detail.attempts, it.runtime.processes._idle) == ((), [])
        file.write_text(PLUGIN, encoding="utf-8")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        it.clock.advance(6)
        it.runtime.timers.look()
        await it.until(lambda: it.states("a")["work"] == "done")


async def test_money_that_a_dead_worker_has_spent_is_booked(tmp_path: Path, plugin: str) -> None:
    async with rig(tmp_path, plugin, "pays", attempts=1) as it:
        await it.add("a")
        await it.drained()
        assert it.states("a")["work"] == "failed"
        assert it.runtime.writer.spent_usd_micros == 40


async def test_endless_loop_is_killed_at_its_timeout(tmp_path: Path, plugin: str) -> None:
    async with rig(tmp_path, plugin, "spin", timeout_s=30.0, attempts=1) as it:
        await it.add("a")
        await it.until(lambda: len(it.runtime.processes._all) == 1)
        (worker,) = it.runtime.processes._all
        it.clock.advance(31)
        await it.until(lambda: it.states("a")["work"] == "failed")
        assert worker.process.returncode == -signal.SIGKILL
        detail = it.reader.item("docs", "a")
        assert detail is not None
        assert detail.attempts[0].message == "took longer than 30 s"


async def test_time_without_a_free_process_is_not_the_functions_time(tmp_path: Path, plugin: str) -> None:
    async with rig(tmp_path, plugin, "echo", timeout_s=30.0, attempts=1) as it:
        free = it.runtime.processes._free
        while not free.locked():
            await free.acquire()
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        it.clock.advance(100)
        it.runtime.attempts._look()
        free.release()
        await it.drained()
        assert it.states("a") == {"a": "done", "work": "done"}


@pytest.mark.parametrize(
    ("function", "kind"), [("large", "BadResult"), ("leave", "WorkerDied"), ("raises", "ValueError")]
)
async def test_end_of_a_plain_function_is_judged_like_any_other(
    tmp_path: Path, plugin: str, function: str, kind: str
) -> None:
    async with rig(tmp_path, plugin, function, attempts=1) as it:
        await it.add("a")
        await it.drained()
        detail = it.reader.item("docs", "a")
        assert detail is not None
        assert (detail.item.state, detail.attempts[0].error_type) == ("failed", kind)


async def test_http_client_leaves_its_process_as_it_was(tmp_path: Path, plugin: str) -> None:
    async with web(page=reply(200, b"there")) as it:
        processes = WorkerProcesses(1, folder=tmp_path, memory=MEMORY, http={"allow": [f"127.0.0.1:{it.port}"]})
        pool = Pool(processes, tmp_path, plugin, {"url": f"{it.url}/page"})
        try:
            first, second, refused = [await pool.call(name) for name in ("fetches", "fetches", "fetches_home")]
        finally:
            await processes.close()
    assert first["outcome"]["output"]["text"] == "there"
    assert first["outcome"]["output"] == second["outcome"]["output"]
    assert refused["type"] == "HttpRefused"


async def test_async_function_that_blocks_the_loop_is_named_and_moved(
    tmp_path: Path, plugin: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.work.watchdog.SAID_S", 0.6)
    monkeypatch.setattr("engine.work.watchdog.MOVED_S", 1.2)
    async with rig(tmp_path, plugin, "blocks", is_async=True, attempts=1) as it:
        await it.add("a")
        await it.until(lambda: "handler.moved" in it.kinds())
        (said,) = [record for record in caplog.records if record.name == "engine.work.watchdog"]
        assert f"{plugin}.blocks keeps the engine's loop from turning" in said.getMessage()
        assert "in blocks" in said.getMessage()
        await it.add("b")
        await it.drained(seconds=20)
        for key, there in (("a", True), ("b", False)):
            detail = it.reader.item("docs", key)
            assert detail is not None
            assert detail.stages[0].output is not None
            assert (detail.stages[0].output["pid"] == os.getpid()) is there


async def test_async_function_that_ignores_its_cancellation_again_and_again_is_moved(
    tmp_path: Path, plugin: str
) -> None:
    async with rig(tmp_path, plugin, "stubborn", is_async=True, attempts=1, timeout_s=30.0, concurrency=9) as it:
        await it.add("a", "b", "c")
        await it.until(lambda: it.runtime.attempts.running == 3)
        it.clock.advance(31)
        await it.until(lambda: all(run.reason for run in it.runtime.attempts._runs.values()))
        it.clock.advance(ABANDON_S + 0.1)
        await it.until(lambda: it.runtime.attempts.running == 0)
        await it.runtime.live.store()
        assert "handler.moved" in it.kinds()
        await it.add("d")
        await it.until(lambda: len(it.runtime.processes._all) == 1)
        sys.modules[plugin].ENOUGH.set()
