"""When discoveries run: intervals, cron, and the two days a year on which the clock jumps."""

from __future__ import annotations

import itertools
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.contracts.spec import DiscoverySpec
from engine.rules.schedule import cron_problem, latest_run, next_run

BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


def local(at: int | None) -> str:
    assert at is not None
    return datetime.fromtimestamp(at / 1000, BERLIN).isoformat()


def runs(cron: str, start: str, n: int) -> list[str]:
    found, now = [], ms(start)
    for _ in range(n):
        now = next_run(DiscoverySpec(use="x.y", cron=cron), now, BERLIN) or 0
        found.append(local(now))
    return found


def test_an_interval_counts_from_now() -> None:
    assert next_run(DiscoverySpec(use="x.y", every_s=600), 1_000, BERLIN) == 601_000


def test_without_a_schedule_there_is_no_next_run() -> None:
    assert next_run(DiscoverySpec(use="x.y"), 1_000, BERLIN) is None


def test_cron_follows_the_local_clock_over_the_change_to_summer_time() -> None:
    assert runs("30 6 * * *", "2026-03-28T12:00", 2) == ["2026-03-29T06:30:00+02:00", "2026-03-30T06:30:00+02:00"]


def test_a_time_that_the_change_to_summer_time_skips_runs_once_on_that_day() -> None:
    found = runs("30 2 * * *", "2026-03-28T12:00", 2)

    assert [at[:10] for at in found] == ["2026-03-29", "2026-03-30"]


def test_a_time_that_the_change_back_repeats_runs_once() -> None:
    found = runs("30 2 * * *", "2026-10-24T12:00", 3)

    assert [at[:10] for at in found] == ["2026-10-25", "2026-10-26", "2026-10-27"]


def test_an_hourly_run_goes_on_every_hour_of_the_long_day() -> None:
    found = runs("0 * * * *", "2026-10-25T00:30", 4)
    stamps = [datetime.fromisoformat(at).timestamp() for at in found]

    assert [later - earlier for earlier, later in itertools.pairwise(stamps)] == [3_600.0] * 3


def test_a_wrong_expression_is_explained() -> None:
    assert cron_problem("30 6 * * 1-5") is None
    assert "five fields" in (cron_problem("every morning") or "")
    assert cron_problem("0 0 31 2 *") is not None


def test_time_of_the_first_pass_does_not_come_again_in_the_second() -> None:
    """A run that is late, in the hour that comes twice: what its clock showed the first time is over."""
    late = round(datetime(2026, 10, 25, 2, 25, tzinfo=BERLIN, fold=1).timestamp() * 1000)
    due = next_run(DiscoverySpec(use="x.y", cron="5,35 2 * * *"), late, BERLIN)
    assert due == round(datetime(2026, 10, 26, 2, 5, tzinfo=BERLIN).timestamp() * 1000)


def test_clock_that_was_set_back_by_years_holds_nothing_for_years() -> None:
    now = round(datetime(2026, 6, 1, 12, tzinfo=BERLIN).timestamp() * 1000)
    by_cron = latest_run(DiscoverySpec(use="x.y", cron="30 2 * * *"), now, BERLIN)
    assert by_cron == round(datetime(2026, 6, 3, 2, 30, tzinfo=BERLIN).timestamp() * 1000)
    assert latest_run(DiscoverySpec(use="x.y", every_s=60.0), now, BERLIN) == now + 60_000
