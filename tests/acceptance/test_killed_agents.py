"""An engine that is killed, or stopped, while an agent is at work: what that may have cost is booked, and once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.store.migrate import connect
from tests.acceptance.command_line import Rivus
from tests.acceptance.waiting import wait_until
from tests.plugins.maintenance.conftest import AGENT

JOBS = """\
settings: {{grace: 100ms}}
jobs:
  todos:
    guards: {{daily_cost: {limit} USD}}
    discovery: {{use: found.find, every: 1h}}
    stages:
      - execute:
          handler: plugins.maintenance.execute
          concurrency: 1
          params:
            agents:
              fake: {{command: [{python}, {agent}, {deed}], output: last_line_json, read: [{read}], cost: 2 USD}}
"""
FOUND = """\
from engine.contracts.item import Candidate


async def find(ctx):
    yield Candidate(key="t-1", title="Greet the world", priority=2)
"""


def project(rivus: Rivus, deed: str, *, limit: int = 10) -> None:
    read = ", ".join(str(path) for path in (AGENT.parent, Path(sys.prefix), Path(sys.base_prefix)))
    jobs = JOBS.format(python=sys.executable, agent=AGENT, read=read, deed=deed, limit=limit)
    rivus.write({"jobs.yaml": jobs, "found.py": FOUND, "a.txt": "a\n"})
    if not (rivus.root / ".git").exists():
        rivus.git("init", "--quiet", "--initial-branch=main")
        rivus.git("add", ".")
        rivus.git("commit", "--quiet", "--message", "Begin")


def cut(rivus: Rivus, how: signal.Signals) -> None:
    """Run an engine until its agent is at work, then send it a signal."""
    with subprocess.Popen(
        rivus.line("--serve"), cwd=rivus.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as engine:
        try:
            wait_until(
                lambda: engine.poll() is not None or any(rivus.state.glob("artifacts/*/session/tree/half.txt")),
                lambda: "the agent did not begin",
            )
            assert engine.poll() is None, engine.communicate()
            os.kill(engine.pid, how)
            engine.communicate(timeout=60)
        finally:
            engine.kill()


def spent(rivus: Rivus) -> int:
    (database,) = rivus.state.glob("*.db")
    with contextlib.closing(connect(database, read_only=True)) as connection:
        assert connection.execute("SELECT count(*) FROM outlays").fetchone() == (0,)
        return int(connection.execute("SELECT coalesce(sum(usd_micros), 0) FROM spent").fetchone()[0])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_session_of_an_engine_that_ended_is_booked_once(rivus: Rivus, how: signal.Signals) -> None:
    project(rivus, "hangs")
    cut(rivus, how)
    project(rivus, "works")
    rivus("run", "todos", "--once")
    assert spent(rivus) == 2_250_000
    rivus("run", "todos", "--once")
    assert spent(rivus) == 2_250_000
    assert rivus.items()["Greet the world"]["state"] == "done"


def test_session_that_may_cost_more_than_is_left_of_the_day_waits_for_the_next(rivus: Rivus) -> None:
    project(rivus, "hangs", limit=3)
    cut(rivus, signal.SIGKILL)
    project(rivus, "works", limit=3)
    rivus("run", "todos", "--once")
    assert spent(rivus) == 2_000_000
    item = rivus.items()["Greet the world"]
    assert item["state"] != "done"
    assert "$2.00 of $3.00 spent or reserved, the attempt may cost $2.00" in rivus("items", "show", "todos", "t-1").out
