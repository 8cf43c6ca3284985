"""Open the control room on canned rows, to look at it: `python -m tests.tui.demo [--viewer] [--many N]`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from engine.contracts.commands import CommandOutcome
from engine.kit.clock import SystemClock
from rivus_tui.app import RivusApp
from tests.tui.fakes import FakeEngine, FakeReader
from tests.tui.rows import NOW, detail, item, sample


class ShiftedClock(SystemClock):
    """The machine's clock, started at the time of the canned rows."""

    def __init__(self, now: int) -> None:
        self._shift = now - super().now()

    def now(self) -> int:
        return super().now() + self._shift


def main() -> None:
    """Run the app until it is left."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--viewer", action="store_true")
    parser.add_argument("--many", type=int, default=0)
    parser.add_argument("--busy", type=int, default=0)
    options = parser.parse_args()
    rows = sample()
    for number in range(1_000, 1_000 + options.many):
        view = item(number, f"generated item {number}", "done", stage=None, stage_state=None)
        rows.details["todos", view.key] = detail(view)
    engine = FakeEngine(running=options.busy)
    taken: list[dict[tuple[str, str], Any]] = []

    def decide(args: Mapping[str, Any]) -> None:
        taken.append({(args["job"], key): rows.details.pop((args["job"], key)) for key in args["keys"]})

    def undo(_: Mapping[str, Any]) -> CommandOutcome:
        if not taken:
            return CommandOutcome(ok=False, message="nothing to undo")
        back = taken.pop()
        rows.details = dict(sorted({**rows.details, **back}.items(), key=lambda one: one[1].item.id))
        return CommandOutcome(ok=True, message="undone", changed=tuple(key for _, key in back))

    engine.effects = {"accept": decide, "drop": decide, "snooze": decide, "undo": undo}

    app = RivusApp(
        engine=None if options.viewer else engine,
        reader=FakeReader(rows),
        project="atlas",
        clock=ShiftedClock(NOW),
    )
    app.run()


if __name__ == "__main__":
    main()
