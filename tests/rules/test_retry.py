from __future__ import annotations

import pytest

from engine.rules.retry import after_interruption, out_of_patience


@pytest.mark.parametrize(
    ("interruptions", "alone", "policy", "state"),
    [
        (1, False, "retry", "ready"),
        (2, False, "retry", "later"),
        (3, False, "retry", "later"),
        (3, True, "retry", "waiting"),
        (2, True, "retry", "later"),
        (5, False, "retry", "later"),
        (6, False, "retry", "waiting"),
        (1, False, "hold", "waiting"),
    ],
)
def test_interrupted_row_goes_where_its_history_says(interruptions: int, alone: bool, policy: str, state: str) -> None:
    found, why = after_interruption(interruptions, alone=alone, policy=policy)  # type: ignore[arg-type]
    assert found == state
    assert why.startswith("interrupted")


@pytest.mark.parametrize(
    ("times", "age_s", "over"),
    [(1, None, None), (3, 10, None), (4, 10, "put off 3 times"), (2, 3_601, "put off for 1 hour"), (2, 3_600, None)],
)
def test_patience_ends_by_count_and_by_age(times: int, age_s: int | None, over: str | None) -> None:
    now = 10_000_000
    since = None if age_s is None else now - age_s * 1000
    found = out_of_patience(times, since, now, count_max=3, age_max_s=3_600.0)
    assert found is None if over is None else found is not None and found.startswith(over)
