"""R15: models under faults: money, Retry-After, conversations that end, and a ledger that balances after any kill."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.contracts.errors import BadReply, InDoubt, ModelBusy, ModelError
from engine.contracts.llm import Answered, BackendFailure, Sent
from engine.contracts.models import ModeSpec
from engine.contracts.spec import Settings
from engine.rules.budget import day_bounds, dollars
from tests.factories import job
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.llm.house import PRICE, House, backend, model, run_virtually
from tests.llm.test_gateway import Kind

_UTC: Final = ZoneInfo("UTC")
_LIMIT_EACH: Final = 700
"""Micro-dollars of the daily limit for each conversation: not all of them can be paid."""
_TURNS: Final = 4
_ROUNDS: Final = 400
"""So often an attempt may be parked and come back before it counts as lost."""


class Provider:
    """A model that fails in every way there is, and remembers when it said not to come back."""

    def __init__(self, clock: Any, chance: random.Random) -> None:
        self.clock = clock
        self.chance = chance
        self.closed_until = 0
        self.intruders = 0
        """Calls that were sent inside Retry-After, a second after it was said or later."""
        self.said_at = 0
        self.asked: Counter[str] = Counter()
        """How often each turn was sent, by its words."""

    def __call__(self, sent: Sent, _n: int) -> Any:
        now = self.clock.now()
        if self.said_at < now < self.closed_until:
            self.intruders += 1
        self.asked[sent.messages[-1].content] += 1
        roll = self.chance.random()
        if roll < 0.06:
            after = self.chance.choice([0.0, 3.0, 40.0, 900.0])
            if now + after * 1000 > self.closed_until:
                self.said_at, self.closed_until = now, now + round(after * 1000)
            return {"fail": "throttled", "retry_after": after}
        if roll < 0.08:
            return {"fail": "throttled"}
        if roll < 0.13:
            return {"fail": "transient"}
        if roll < 0.15:
            return {"fail": "transient", "charged": True}
        if roll < 0.16:
            return {"hang": True}
        if roll < 0.17:
            return BackendFailure("broken", kind="systemic", status=500)
        if roll < 0.18:
            return {"fail": "item"}
        if roll < 0.22:
            return Answered(text='{"kind": "x"}', tokens_in=None, tokens_out=None)
        if roll < 0.30:
            return self.chance.choice(["{", "[" * 3_000, '{"kind": 1}', '{"kind": NaN}', "no", '{"kind": "a", "b": 1}'])
        return {"sleep": self.chance.random() * 5, "kind": "x"}


async def _converse(house: House, n: int, chance: random.Random, ends: Counter[str]) -> None:
    """One attempt after the other, as the engine makes them: parked ones come back at their time."""
    done: set[str] = set()
    for _ in range(_ROUNDS):
        door = house.door("docs", key=f"k{n}", urgency=n)
        talk = door.conversation("talk", keep=3)
        try:
            for turn in range(_TURNS):
                with contextlib.suppress(BadReply):
                    await talk.say(f"turn {turn} of {n}", schema=Kind)
                done.add(f"turn {turn}")
            ends["done"] += 1
            return
        except ModelBusy as busy:
            now = house.clock.now()
            until = busy.until or now + 60_000
            if until > day_bounds(house.clock.START, _UTC)[1]:
                ends["parked"] += 1  # until the next day: the money of this one is spent
                return
            await asyncio.sleep(max(1.0, (until - now) / 1000) + chance.random())
        except InDoubt:
            ends["asked"] += 1
            return
        except ModelError:
            await asyncio.sleep(10 + 60 * chance.random())
        finally:
            door.close()
    ends["lost"] += 1


def conversations(lane: Lane) -> Reading:
    """Conversations with a provider that fails in every way, in virtual time."""
    many = lane.n(fast=20, deep=500)
    with tempfile.TemporaryDirectory(prefix="rivus-r15-") as folder:
        return run_virtually(lambda clock: _all(Path(folder), clock, many, random.Random(15)))


async def _all(folder: Path, clock: Any, many: int, chance: random.Random) -> Reading:
    provider = Provider(clock, chance)
    limit = many * _LIMIT_EACH
    house = House(
        folder,
        clock=clock,
        backends=[backend(price=PRICE, concurrency=8, modes={"m": ModeSpec(name="m", per_day=40 * many)})],
        models=[model(timeout_s=30, max_tokens=60)],
        jobs=[job("docs", daily_cost_usd_micros=limit)],
        settings=Settings(daily_cost_usd_micros=limit),
    )
    await house.open({"one": provider})
    ends: Counter[str] = Counter()
    await asyncio.gather(*(_converse(house, n, random.Random(n), ends) for n in range(many)))
    await house.gateway.chores.done()
    start, end = day_bounds(clock.START, _UTC)
    (spent,) = house.rows("SELECT coalesce(sum(usd_micros), 0) FROM spent WHERE at >= ? AND at < ?", start, end)[0]
    found = _unbalanced(house.ground.db)
    house.ground.close()
    if spent > limit:
        found.append(f"{dollars(spent)} spent of {dollars(limit)}")
    if provider.intruders:
        found.append(f"{provider.intruders} calls inside Retry-After")
    if ends["lost"] or sum(ends.values()) != many or not ends["done"]:
        found.append(f"the conversations ended {dict(ends)}")
    told = ", ".join(f"{n} {how}" for how, n in sorted(ends.items()))
    calls = sum(provider.asked.values())
    return readings(
        found,
        f"{many} conversations, {calls:,} calls: {told}; {dollars(spent)} of {dollars(limit)}, "
        f"{provider.intruders} inside Retry-After",
    )


def _unbalanced(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the books: something left reserved, or three sums that differ."""
    (reserved,) = connection.execute("SELECT count(*) FROM model_calls WHERE state = 'reserved'").fetchone()
    (calls,) = connection.execute("SELECT coalesce(sum(usd_micros), 0) FROM model_calls").fetchone()
    (use,) = connection.execute("SELECT coalesce(sum(usd_micros), 0) FROM model_use").fetchone()
    (spent,) = connection.execute("SELECT coalesce(sum(usd_micros), 0) FROM spent").fetchone()
    found = [f"{reserved} calls are still reserved"] * bool(reserved)
    return found + [f"the books differ: calls {calls}, sums {use}, days {spent}"] * (not calls == use == spent)


@contextlib.contextmanager
def _talker() -> Iterator[Callable[[Path, int, int], tuple[int, str]]]:
    """Runs one conversation a call, in a process of its own; returns its exit code and how it ended."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.talker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def talk(folder: Path, epoch: int, step: int) -> tuple[int, str]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{folder} {epoch} {step}\n")
            process.stdin.flush()
            code, how = process.stdout.readline().rstrip("\n").split(" ", 1)
            return int(code), how

        yield talk


def kills(lane: Lane) -> Reading:
    """A process is killed at its n-th step, between any two transactions; the next goes on with the same state."""
    wanted, killed, chance = lane.n(fast=2, deep=100), 0, random.Random(7)
    found: list[str] = []
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="rivus-kill-") as root, _talker() as talk:
        while killed < wanted:
            folder = Path(root) / str(killed)
            folder.mkdir()
            for epoch in range(1, 40):
                code, how = talk(folder, epoch, chance.randrange(1, 26))
                if code != -signal.SIGKILL:
                    break
                killed += 1
            if code:
                found.append(f"the conversation ended with code {code}")
                break
            ends[how] += 1
            sent = Counter((folder / "sent.log").read_text().split())
            if twice := [turn for turn, n in sent.items() if n > 1]:
                found.append(f"sent twice: {', '.join(twice)}")
            with contextlib.closing(sqlite3.connect(folder / "rivus.db")) as connection:
                found += _unbalanced(connection)
    told = ", ".join(f"{n} {how}" for how, n in sorted(ends.items()))
    return readings(found, f"{killed} kills; conversations: {told}; nothing sent twice, the ledger balances")


GOALS = (
    Goal("R15", "models under faults", "never over the limit, 0 calls inside Retry-After, 0 lost", conversations),
    Goal("R29", "kill -9 between reserving and settling a model call", "0 sent twice, books balance", kills),
)
