"""When a finished item comes back: by the calendar of the user, over the days on which the clock jumps too."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from engine.contracts.steering import RecurSpec
from engine.rules.recurrence import next_due, of_item

BERLIN = ZoneInfo("Europe/Berlin")


def due(recur: RecurSpec, completed: str) -> str:
    at = round(datetime.fromisoformat(completed).replace(tzinfo=BERLIN).timestamp() * 1000)
    return datetime.fromtimestamp(next_due(recur, at, BERLIN) / 1000, BERLIN).isoformat()


@pytest.mark.parametrize(
    ("recur", "completed", "expected"),
    [
        (RecurSpec(each="day"), "2026-06-01T00:00", "2026-06-02T00:00:00+02:00"),
        (RecurSpec(each="day"), "2026-06-01T23:59", "2026-06-02T00:00:00+02:00"),
        (RecurSpec(each="day"), "2026-03-29T01:00", "2026-03-30T00:00:00+02:00"),
        (RecurSpec(each="day"), "2026-10-25T12:00", "2026-10-26T00:00:00+01:00"),
        (RecurSpec(each="week"), "2026-06-01T08:00", "2026-06-08T00:00:00+02:00"),
        (RecurSpec(each="week"), "2026-06-07T23:00", "2026-06-08T00:00:00+02:00"),
        (RecurSpec(each="week"), "2026-03-27T23:00", "2026-03-30T00:00:00+02:00"),
        (RecurSpec(after_s=12 * 3600), "2026-03-28T20:00", "2026-03-29T09:00:00+02:00"),
        (RecurSpec(cron="0 6 * * 1"), "2026-06-03T12:00", "2026-06-08T06:00:00+02:00"),
        (RecurSpec(cron="30 2 * * *"), "2026-03-28T12:00", "2026-03-29T03:00:00+02:00"),
    ],
)
def test_the_next_time(recur: RecurSpec, completed: str, expected: str) -> None:
    assert due(recur, completed) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("daily", RecurSpec(each="day")),
        ("weekly", RecurSpec(each="week")),
        ("never", None),
        (12, RecurSpec(after_s=12 * 3600)),
        (0.5, RecurSpec(after_s=1800)),
        ("0 6 * * 1", RecurSpec(cron="0 6 * * 1")),
        *(
            (odd, "the job's")
            for odd in (None, "", "soon", True, 0, -1, 1e9, float("nan"), [1], {}, "0 6 30 2 *", "*" * 999)
        ),
    ],
)
def test_an_item_has_a_word_of_its_own_and_nonsense_is_none(said: object, expected: RecurSpec | str | None) -> None:
    lone, both = RecurSpec(by="rhythm"), RecurSpec(by="rhythm", each="week")
    told = {"rhythm": said, "other": "daily"}
    assert of_item(both, told) == (both if expected == "the job's" else expected)
    assert of_item(lone, told) == (None if expected == "the job's" else expected)
