"""How jobs stood, hour by hour: written only where something has changed, kept a month, there after a restart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.store import hours
from engine.store.reader import Reader
from engine.store.upkeep import prune
from tests.factories import Ground, chain, finished, job, left

Make = Callable[..., Ground]
HOUR = 3_600_000


@pytest.fixture
def ground(make_ground: Make) -> Ground:
    return make_ground(job("docs", *chain("read", "sum")))


def test_hours_hold_what_was_done_spent_and_left(ground: Ground) -> None:
    ground.add(*(f"k{number}" for number in range(5)))
    claims = ground.claim("read")
    ground.end(*(finished(claim, ms=100, cost_usd_micros=1_000) for claim in claims[:3]), left(claims[3], "fail"))
    hours.note(ground.db, ground.now)
    hours.note(ground.db, ground.now + HOUR)
    first, second = Reader(ground.state, project="test", clock=ground.clock).history(ground.now)["docs"]
    assert (first.settled, first.usd_micros, first.state) == (3, 3_000, "active")
    # Three wait for their second stage, one runs, one has failed.
    assert (first.ready, first.running, first.failed, first.backlog) == (3, 1, 1, 4)
    assert (second.settled, second.usd_micros, second.backlog) == (0, 0, 4)
    assert second.hour - first.hour == HOUR


def test_what_has_not_changed_is_not_written(ground: Ground) -> None:
    ground.add("k1")
    hours.note(ground.db, ground.now)
    before = ground.db.total_changes
    hours.note(ground.db, ground.now)
    assert ground.db.total_changes == before
    ground.claim("read")
    hours.note(ground.db, ground.now)
    (hour,) = hours.read(ground.db, ground.now)["docs"]
    assert (hour.ready, hour.running) == (0, 1)


def test_old_hours_go(ground: Ground) -> None:
    hours.note(ground.db, ground.now)
    assert prune(ground.db, ground.now + hours.KEPT_MS + HOUR) >= 1
    assert hours.read(ground.db, 0) == {}
