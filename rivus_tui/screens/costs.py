"""Costs: what was spent, on what, and how far the limits are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from textual.widget import Widget

from engine.contracts.costs import CostsView
from rivus_tui.actions.action import Action
from rivus_tui.cost_page import GROUPS, PERIODS, call_lines, choices_line, cost_lines
from rivus_tui.desk import Desk
from rivus_tui.format import Line
from rivus_tui.possible import Situation
from rivus_tui.screens.room import Mover, Room, bindings_of
from rivus_tui.widgets.lines_view import LinesView

_HOUR_MS: Final = 3_600_000
_CALLS: Final = 200
"""Requests that Enter shows, the newest."""


class CostsScreen(Room):
    """What was spent in a time, by job, model, stage, item, purpose or day."""

    KIND = "costs"
    MODE = "costs"
    BINDINGS: ClassVar = bindings_of("costs")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._view: CostsView | None = None
        self._period = 1
        self._group = 0

    def body(self) -> Iterator[Widget]:
        """One page of tables."""
        yield LinesView(lambda width: (choices_line(self._period, self._group, width),), widget_id="period", hug=True)
        yield LinesView(self._draw, widget_id="page")

    def panes(self) -> Sequence[Mover]:
        """The page."""
        return (self.query_one("#page", LinesView),)

    def read(self) -> None:
        """Read the sums again."""
        self._view = self.desk.reader.costs(self._since)
        for name in ("#period", "#page"):
            self.query_one(name, LinesView).redraw()

    def _draw(self, width: int) -> Sequence[Line]:
        return tuple(cost_lines(self._view, GROUPS[self._group], self.desk.clock.now(), width))

    def situation(self) -> Situation:
        """Nothing here can be decided; what is copied is the page as it is."""
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            rows=0 if self._view is None else len(self._view.jobs),
            copyable=self.query_one("#page", LinesView).text,
            refusals={"pane": "there is only one here"},
        )

    def label(self, action: Action) -> str:
        """What comes next."""
        if action.id == "next_part":
            return f"By {GROUPS[(self._group + 1) % len(GROUPS)]}"
        if action.id == "period":
            return PERIODS[(self._period + 1) % len(PERIODS)][0].capitalize()
        return action.label

    def do_next_part(self) -> None:
        self._turn(1)

    def do_previous_part(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        self._group = (self._group + step) % len(GROUPS)
        self.reload(even_frozen=True)

    @property
    def _since(self) -> int:
        return self.desk.clock.now() - PERIODS[self._period][1] * _HOUR_MS

    def do_period(self) -> None:
        self._period = (self._period + 1) % len(PERIODS)
        self.reload(even_frozen=True)

    def do_calls(self) -> None:
        with self.reading():
            calls = self.desk.reader.model_calls(self._since, _CALLS)
            title = f"Requests to models, the newest first: last {PERIODS[self._period][0]}"
            self.read_out(title, call_lines(calls, self.desk.clock.now()))

    def config_place(self) -> tuple[str, ...]:
        """The daily limit of all jobs together."""
        return ("settings", "daily_cost")
