"""R6: fail the n-th statement, call for a file or request, for every n and in every way, and look at the end."""

from __future__ import annotations

from tests.faults.calls import files, requests
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.simulation.patience import patient
from tests.faults.simulation.run import quietly
from tests.faults.simulation.scene import FAULTS, SCENES, Case
from tests.faults.simulation.scratch import scratch


def sweep(lane: Lane) -> Reading:
    found: list[str] = []
    cases = 0
    wanted = lane.n(fast=40, deep=4_000)
    with quietly(), patient():
        plan = [(scene, fault, at) for scene in SCENES for fault in FAULTS for at in range(1, _statements(scene) + 1)]
        step = max(1, len(plan) // wanted)
        for scene, fault, at in plan[step // 2 :: step]:
            cases += 1
            with scratch() as folder:
                found += Case(scene, fault, at, folder / "state").play()
    with quietly(), scratch() as folder:
        calls, wrong = files(folder, 1 if lane.deep else 17)
        found += wrong
        asked, wrong = requests(1 if lane.deep else 10)
        found += wrong
    return readings(
        sorted(set(found)),
        f"{cases:,} of {len(plan):,} statements of {len(SCENES)} scenes, {calls} calls for files, {asked} requests, "
        f"{len(found)} wrong ends",
        at_most=12,
    )


def _statements(scene):  # type: ignore[no-untyped-def]
    with scratch() as folder:
        case = Case(scene, None, 0, folder / "state")
        assert not (wrong := case.play()), wrong
        return case.statements


GOALS = [Goal("R6", "n-th call sweep", "0 wrong ends, 0 open transactions, 0 hangs", sweep)]
