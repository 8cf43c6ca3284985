"""Retry-After in any spelling."""

from __future__ import annotations

import pytest

from engine.rules.verdicts.waits import moment_asked, seconds_asked


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("retry-after: 120", 120),
        ("'retry_after': 2.5}", 2.5),
        ("retry after 30 seconds", 30),
        ("retryafter=90s", 90),
        ("retry-after-ms: 1500", 1.5),
        ("please try again in 6m30s", 390),
        ("please retry in 33.2s.", 33.2),
        ("try again in 2 hours", 7_200),
        ("try again after 1 minute", 60),
        ("a wait of 3600 seconds is required", 3_600),
        ("please wait 15 minutes before", 900),
        ("wait for an hour", 3_600),
        ("x-ratelimit-reset-after: 12", 12),
        ("cooldown: pt1m30s", 90),
        ("take a break for 9 minutes", 540),
        ("nothing of the kind", None),
        ("retry-after: 99999999999999", None),
    ],
)
def test_seconds(text: str, seconds: float | None) -> None:
    assert seconds_asked(text) == seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("retry-after: wed, 21 oct 2026 07:28:00 gmt", 1_792_567_680_000),
        ("resets at 2026-10-21t07:28:00z", 1_792_567_680_000),
        ("quota resets on 2026-10-21 07:28", 1_792_567_680_000),
        ("x-ratelimit-reset: 1792567680", 1_792_567_680_000),
        ("retry-after: soon", None),
    ],
)
def test_moments(text: str, moment: int | None) -> None:
    assert moment_asked(text.replace("x-ratelimit-reset", "reset")) == moment
