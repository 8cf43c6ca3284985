"""Costs: what was spent, on what, and how far the limits are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from textual.widget import Widget

from engine.contracts.costs import CostsView
from rivus_tui.actions.action import Action
from rivus_tui.cost_page import PERIODS, cost_lines, period_tabs
from rivus_tui.desk import Desk
from rivus_tui.format import Line
from rivus_tui.possible import Situation
from rivus_tui.screens.room import Mover, Room, bindings_of
from rivus_tui.widgets.lines_view import LinesView

_DAY_MS: Final = 86_400_000


class CostsScreen(Room):
    """Spend by job, model, purpose and day."""

    KIND = "costs"
    MODE = "costs"
    BINDINGS: ClassVar = bindings_of("costs")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._view: CostsView | None = None
        self._period = 0

    def body(self) -> Iterator[Widget]:
        """One page of tables."""
        yield LinesView(lambda _width: (period_tabs(self._period),), widget_id="period", hug=True)
        yield LinesView(self._draw, widget_id="page")

    def panes(self) -> Sequence[Mover]:
        """The page."""
        return (self.query_one("#page", LinesView),)

    def read(self) -> None:
        """Read the sums again."""
        since = self.desk.clock.now() - PERIODS[self._period][1] * _DAY_MS
        self._view = self.desk.reader.costs(since)
        for name in ("#period", "#page"):
            self.query_one(name, LinesView).redraw()

    def _draw(self, width: int) -> Sequence[Line]:
        return tuple(cost_lines(self._view, self.desk.clock.now(), width))

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
        """The period that comes next."""
        if action.id == "next_part":
            return PERIODS[(self._period + 1) % len(PERIODS)][0].capitalize()
        return action.label

    def do_next_part(self) -> None:
        self._turn(1)

    def do_previous_part(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        self._period = (self._period + step) % len(PERIODS)
        self.reload(even_frozen=True)
