"""What may start now, and until when the rest is held."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from engine.contracts.steering import Condition, EligibilitySpec, Hours
from engine.rules.eligibility import Idle, QuotaNow, is_within, item_hold, job_holds, next_start

BERLIN = ZoneInfo("Europe/Berlin")
DAY = Hours(start=9 * 60, end=17 * 60)
NIGHT = Hours(start=22 * 60, end=6 * 60)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


def local(at: int | None) -> str:
    assert at is not None
    return datetime.fromtimestamp(at / 1000, BERLIN).isoformat()


def holds(spec: EligibilitySpec, at: str = "2026-06-01T12:00", idle: Idle | None = None, **left: int) -> list[str]:
    quotas = {name: QuotaNow(n) for name, n in left.items()}
    found = job_holds(spec, now=ms(at), zone=BERLIN, idle=idle or Idle(None, "no probe"), quotas=quotas)
    return [held.why for held in found]


@pytest.mark.parametrize(
    ("hours", "at", "inside"),
    [
        (DAY, "09:00", True),
        (DAY, "08:59", False),
        (DAY, "17:00", False),
        (NIGHT, "23:00", True),
        (NIGHT, "05:59", True),
        (NIGHT, "06:00", False),
        (NIGHT, "21:59", False),
        (Hours(start=17 * 60, end=0), "23:59", True),
    ],
)
def test_parts_of_the_day(hours: Hours, at: str, inside: bool) -> None:
    assert is_within(hours, ms(f"2026-06-01T{at}"), BERLIN) is inside


def test_what_is_outside_its_hours_says_when_they_begin() -> None:
    (held,) = job_holds(EligibilitySpec(hours=(DAY,)), now=ms("2026-06-01T18:00"), zone=BERLIN, idle=Idle(0), quotas={})
    assert held.why == "outside its hours 09:00-17:00"
    assert local(held.until) == "2026-06-02T09:00:00+02:00"
    assert holds(EligibilitySpec(hours=(DAY, NIGHT)), "2026-06-01T10:00") == []


def test_hours_begin_right_on_the_days_on_which_the_clock_jumps() -> None:
    early = Hours(start=2 * 60 + 30, end=5 * 60)
    assert local(next_start((DAY,), ms("2026-03-28T18:00"), BERLIN)) == "2026-03-29T09:00:00+02:00"
    assert local(next_start((early,), ms("2026-03-28T18:00"), BERLIN)) == "2026-03-29T03:30:00+02:00"
    assert local(next_start((DAY,), ms("2026-10-24T18:00"), BERLIN)) == "2026-10-25T09:00:00+01:00"


def test_the_user_has_to_rest_for_long_enough() -> None:
    spec = EligibilitySpec(user_idle_s=900)
    assert holds(spec, idle=Idle(900)) == []
    assert holds(spec, idle=Idle(300)) == ["the user is active; it waits for 15m of rest"]
    assert holds(spec, idle=Idle(None, "no file")) == [
        "waits until the user is idle for 15m, and nothing tells that: no file"
    ]


def test_quota_that_is_used_up_holds_and_one_that_nobody_counts_does_not() -> None:
    spec = EligibilitySpec(quota=("deep", "fast"))
    assert holds(spec, deep=0) == ["the quota of deep is used up"]
    assert holds(spec, deep=1) == holds(spec) == []


def test_an_item_that_the_job_does_not_take_says_what_it_lacks() -> None:
    wanted = (Condition(field="risk", one_of=("low", None)), Condition(field="auto_start", one_of=(True,)))
    assert item_hold(wanted, {"risk": "low", "auto_start": True}) is None
    assert item_hold(wanted, {"risk": "high"}) == "risk is high; this job takes low or missing"
    assert item_hold(wanted, {}) == "auto_start is missing; this job takes true"
