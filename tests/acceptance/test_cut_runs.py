"""`rivus run JOB --once` whose engine ends before the job is done."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.acceptance.command_line import Rivus
from tests.acceptance.waiting import wait_until

JOBS = """\
jobs:
  letters:
    discovery: {use: slow.discover}
    stages:
      - read: {handler: slow.read}
"""
CODE = """\
import asyncio

from engine.contracts.item import Candidate


async def discover(ctx):
    ctx.scope(["."])
    yield Candidate(key="a")


async def read(ctx):
    while not (ctx.root / "go").exists():
        await asyncio.sleep(0.01)
    return {}
"""


@pytest.fixture
def slow(rivus: Rivus) -> Rivus:
    """A job whose only item waits for a file."""
    rivus.write({"jobs.yaml": JOBS, "slow.py": CODE})
    return rivus


@pytest.fixture
def begun(slow: Rivus) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that end with the test."""
    made: list[subprocess.Popen[str]] = []
    yield made
    for process in made:
        process.kill()
        process.communicate()


def start(rivus: Rivus, begun: list[subprocess.Popen[str]], *args: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        rivus.line(*args), cwd=rivus.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    begun.append(process)
    return process


def wait_for_start(rivus: Rivus, *, engines: int) -> None:
    """Wait until so many engines have begun, and the last of them runs the item."""

    def found() -> tuple[str, int] | None:
        try:
            with closing(sqlite3.connect(f"file:{rivus.state}/rivus.db?mode=ro", uri=True)) as connection:
                (epoch,) = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
                (n,) = connection.execute("SELECT count(*) FROM item_stages WHERE owner = ?", (epoch,)).fetchone()
        except (sqlite3.OperationalError, TypeError):
            return None  # it is just being made
        return epoch, n

    wait_until(lambda: found() == (str(engines), 1), found)


def test_run_whose_engine_is_stopped_does_not_say_that_it_is_done(
    slow: Rivus, begun: list[subprocess.Popen[str]]
) -> None:
    run = start(slow, begun, "run", "letters", "--once")
    wait_for_start(slow, engines=1)
    slow("stop", "--yes", "--now")
    out, err = run.communicate(timeout=60)
    assert (run.returncode, "letters: found 1" in out) == (1, True)
    assert err == "the engine was stopped before letters was done\n"


def test_run_by_an_engine_that_is_stopped_goes_on_by_itself(slow: Rivus, begun: list[subprocess.Popen[str]]) -> None:
    serve = start(slow, begun, "--serve")
    assert serve.stderr is not None
    assert "rivus" in serve.stderr.readline()
    run = start(slow, begun, "run", "letters", "--once", "--json")
    wait_for_start(slow, engines=1)
    slow("stop", "--yes", "--now")
    wait_for_start(slow, engines=2)
    (slow.root / "go").touch()
    out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (0, "")
    assert json.loads(out)["done"] == 1
