"""Help: every action of the screen below, found by typing, run by Enter; a disabled one says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from engine.kit.clock import Clock
from rivus_tui.actions.action import Action, key_names
from rivus_tui.columns import Column
from rivus_tui.format import Cell, Line, cell, fit_line
from rivus_tui.sources import ListSource
from rivus_tui.theme import ROLE_CLASSES
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable

Offer = tuple[Action, str]
"""An action, and why it cannot be done now (empty: it can)."""

COLUMNS: tuple[Column[Offer], ...] = (
    Column(title="KEY", width=10, show=lambda offer, now: Cell(key_names(offer[0].keys) or "-", "strong")),
    Column(title="ACTION", width=16, show=lambda offer, now: Cell(offer[0].label, "muted" if offer[1] else "")),
    Column(title="WHAT IT DOES", width=20, grow=1, show=lambda offer, now: _what(offer)),
)


def _what(offer: Offer) -> Cell:
    action, reason = offer
    return cell(f"(now not: {reason})" if reason else action.help, "wait" if reason else "muted")


class HelpScreen(ModalScreen[str | None]):
    """Returns the id of the action to run, or None."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,ctrl+c", "leave", show=False),
        Binding("down,ctrl+n", "move(1)", show=False),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]

    def __init__(self, title: str, offers: Sequence[Offer], clock: Clock) -> None:
        super().__init__()
        self._title = title
        self._offers = offers
        self._clock = clock

    def compose(self) -> ComposeResult:
        """Put the search over the list."""
        with Vertical(id="box", classes="-help"):
            yield LinesView(lambda width: (fit_line([cell(self._title, "strong")], width),), widget_id="help-title")
            yield Input(placeholder="type to search", id="help-search", compact=True)
            yield VirtualTable(self._source(""), COLUMNS, self._clock, widget_id="help-list")
            yield LinesView(self._explain, widget_id="help-detail")

    def on_mount(self) -> None:
        """Start with the search."""
        self.query_one(VirtualTable).reload()
        self.query_one(Input).focus()

    def _source(self, text: str) -> ListSource[Offer]:
        words = text.casefold().split()
        offers = [
            offer
            for offer in self._offers
            if all(
                word in f"{key_names(offer[0].keys)} {offer[0].label} {offer[0].help} {offer[0].cli}".casefold()
                for word in words
            )
        ]
        return ListSource(offers, lambda offer: offer[0].id)

    def _explain(self, width: int) -> Sequence[Line]:
        offer = self.query_one(VirtualTable).row
        if offer is None:
            return (fit_line([Cell("No action has these words.", "wait")], width),)
        action, reason = offer
        lines: list[Line] = [fit_line([Cell(action.help)], width)]
        if action.cli:
            lines.append(fit_line([Cell("same as  ", "muted"), Cell(action.cli, "strong")], width))
        run = Cell(f"now not: {reason}", "wait") if reason else Cell("Enter runs it", "ok")
        return [*lines, fit_line([run, Cell("   Esc closes", "muted")], width)]

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what has these words; a second `?` closes."""
        if event.value == "?":
            self.dismiss(None)
            return
        self.query_one(VirtualTable).show(self._source(event.value))
        self.query_one("#help-detail", LinesView).redraw()

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Explain the action under the cursor."""
        self.query_one("#help-detail", LinesView).redraw()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Run by mouse what Enter runs."""
        self._take()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Run the action under the cursor."""
        self._take()

    def _take(self) -> None:
        offer = self.query_one(VirtualTable).row
        if offer is not None:
            self.dismiss(offer[0].id)

    def action_move(self, rows: int) -> None:
        """Move through the actions."""
        self.query_one(VirtualTable).move(rows)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)
