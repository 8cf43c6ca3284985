"""R5: plant bugs, and count how many the tests notice."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from tests.faults.goal import Goal, Lane, Reading
from tests.faults.sabotage import code, store_sql
from tests.faults.sabotage.plant import Sabotage, check, copy, is_caught, is_well

ALL: tuple[Sabotage, ...] = store_sql.SABOTAGES + code.SABOTAGES
FAST = ("an end is stored under any fence", "a failed item looks well", "an artifact may lie outside its folder")
_OWNER = "rows of a dead engine are taken back before the next one ends anything, and each claim raises the fence"
_RESTS = (
    "dropping and finding gone raise the fence of what runs, and what is snoozed or held is set apart before, so no "
    "such item comes so far; the guard is there for whoever changes that"
)
ARGUED: dict[str, str] = {
    "an end is stored for any engine": _OWNER,
    "a failure is stored for any engine": _OWNER,
    "a dropped item becomes done": _RESTS,
    "a dropped item starts again": "no rule settles what is dropped or gone; the guard stands where all of them meet",
}
"""Sabotages that no test can notice, with the reason why they change nothing."""


def sabotage(lane: Lane) -> Reading:
    for one in ALL:
        check(one)
    chosen = [one for one in ALL if one.name not in ARGUED and (lane.deep or one.name in FAST)]
    if lane.deep and lane.share < 1:
        chosen = chosen[:: max(1, round(1 / lane.share))]
    missed: list[str] = []
    times: list[float] = []
    with tempfile.TemporaryDirectory(prefix="rivus-sabotage-") as folder:
        project = copy(Path(folder))
        # In the fast lane the tests themselves run beside this one.
        if lane.deep and not is_well(project, chosen):
            return Reading("the tests that should notice fail with nothing planted", ok=False)
        for one in chosen:
            caught, seconds = is_caught(project, one)
            times.append(seconds)
            if not caught:
                missed.append(f"not noticed: {one.name} ({one.file})")
    share = 1 - len(missed) / len(chosen)
    noticed = f"{len(chosen) - len(missed)} of {len(chosen)} noticed ({share:.0%})"
    figure = (
        f"{noticed}, {len(ALL)} known, median {statistics.median(times):.1f} s{''.join(f'; {one}' for one in missed)}"
    )
    return Reading(figure, share >= 0.95, tuple(missed))


GOALS = [Goal("R5", "planted bugs", "≥ 95 % noticed, each can still be planted", sabotage, minutes=15)]
