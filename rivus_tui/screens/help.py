"""Help: every action of the screen below, found by typing, run by Enter; a disabled one says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from rivus_tui.actions.action import Action, key_names
from rivus_tui.actions.registry import actions_of, kinds
from rivus_tui.columns import Column
from rivus_tui.desk import Desk
from rivus_tui.format import Cell, Line, cell, fit_line, width_of, wrap
from rivus_tui.possible import Situation
from rivus_tui.sources import ListSource
from rivus_tui.theme import ROLE_CLASSES
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable

Offer = tuple[Action, str]
"""An action, and why it cannot be done now (empty: it can)."""

_LEVELS: Final = {
    0: "",
    1: "acts at once",
    2: "asks first",
    3: "asks for the count first",
}


def _what(offer: Offer) -> Cell:
    action, reason = offer
    return cell(f"(now not: {reason})" if reason else action.help, "wait" if reason else "muted")


COLUMNS: tuple[Column[Offer], ...] = (
    Column(title="KEY", width=10, show=lambda offer, now: Cell(key_names(offer[0].keys) or "-", "strong")),
    Column(title="ACTION", width=12, show=lambda offer, now: Cell(offer[0].label, "muted" if offer[1] else "")),
    Column(title="WHAT IT DOES", width=20, grow=1, drop=1, show=lambda offer, now: _what(offer)),
)


class HelpScreen(ModalScreen[str | None]):
    """Returns the id of the action to run, or None."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,ctrl+c", "leave", show=False),
        Binding("down,ctrl+n", "move(1)", show=False),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("tab", "everywhere", show=False, priority=True),
        Binding("ctrl+y", "copy", show=False, priority=True),
    ]

    class CopyAsked(Message):
        """The command line of an action is to be copied."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, kind: str, offers: Sequence[Offer], now: Situation, desk: Desk) -> None:
        super().__init__()
        self._kind = kind
        self._offers = offers
        self._now = now
        self._desk = desk
        self._all = False

    def compose(self) -> ComposeResult:
        """Put the search over the list."""
        with Vertical(id="box", classes="-help"):
            yield LinesView(self._title, widget_id="help-title", hug=True)
            yield Input(placeholder="type to search", id="help-search", compact=True)
            yield VirtualTable(self._source(""), COLUMNS, self._desk.clock, widget_id="help-list")
            yield LinesView(self._explain, widget_id="help-detail", hug=True)

    def on_mount(self) -> None:
        """Start with the search."""
        self.query_one(VirtualTable).reload()
        self.query_one(Input).focus()

    def _title(self, width: int) -> Sequence[Line]:
        where = "all screens" if self._all else self._kind
        lines = [fit_line([cell(f"Help: {where}", "strong"), Cell("   Tab all screens", "muted")], width)]
        for problem in self._desk.keymap.problems:
            lines += [(Cell(text, "wait"),) for text in wrap(cell(f"keys.yaml: {problem}").text, width)]
        return lines[:6]

    def _shown(self) -> list[Offer]:
        if not self._all:
            # What moves about is what everybody knows: it stands last.
            return sorted(self._offers, key=lambda offer: offer[0].moves)
        return self._everywhere()

    def _everywhere(self) -> list[Offer]:
        """What can be done here, then what can be done on other screens."""
        here = {action.id for action, _ in self._offers}
        found: dict[str, Offer] = {}
        for kind in kinds():
            for action in actions_of(kind):
                applied = self._desk.keymap.applied(action)
                found.setdefault(action.id, (applied, "" if action.id in here else f"on the screen {kind}"))
        return [*self._offers, *(offer for name, offer in found.items() if name not in here)]

    def _source(self, text: str) -> ListSource[Offer]:
        offers = _having(self._shown(), text) or _having(self._everywhere(), text)
        return ListSource(offers, lambda offer: offer[0].id)

    def _explain(self, width: int) -> Sequence[Line]:
        offer = self.query_one(VirtualTable).row
        if offer is None:
            return (fit_line([Cell("No action has these words.", "wait")], width),)
        action, reason = offer
        lines: list[Line] = [fit_line([Cell("Enter runs it", "ok"), Cell("   Esc closes", "muted")], width)]
        if reason:
            lines = [(Cell(text, "wait"),) for text in wrap(cell(f"now not: {reason}").text, width)]
        lines += [(Cell(text),) for text in wrap(action.help, width)]
        how = Cell(f"   {_LEVELS[action.level]}{'; u takes it back' if action.can_undo else ''}", "muted")
        if action.level and width_of([*lines[-1], how]) <= width:
            lines[-1] = (*lines[-1], how)
        elif action.level:
            lines.append((Cell(how.text.strip(), "muted"),))
        if twin := action.twin(self._now):
            same = [Cell("same as  ", "muted"), cell(twin, "strong"), Cell("   ctrl+y", "muted")]
            lines.append(fit_line(same, width))
        return lines

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what has these words; a second `?` closes."""
        if event.value == "?":
            self.dismiss(None)
            return
        self._search(event.value)

    def _search(self, text: str) -> None:
        self.query_one(VirtualTable).show(self._source(text))
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
        if offer is not None and offer[0].id in {action.id for action, _ in self._offers}:
            self.dismiss(offer[0].id)

    def action_everywhere(self) -> None:
        """Show the actions of all screens, or of this one again."""
        self._all = not self._all
        self.query_one("#help-title", LinesView).redraw()
        self._search(self.query_one(Input).value)

    def action_copy(self) -> None:
        """Copy the command line that does the same."""
        offer = self.query_one(VirtualTable).row
        if offer is not None and (twin := offer[0].twin(self._now)):
            self.app.post_message(self.CopyAsked(twin))

    def action_move(self, rows: int) -> None:
        """Move through the actions."""
        self.query_one(VirtualTable).move(rows)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)


def _having(offers: Sequence[Offer], text: str) -> list[Offer]:
    """Return the actions that have all these words in their key, name, explanation or command line."""
    words = text.casefold().split()
    return [
        (action, reason)
        for action, reason in offers
        if all(
            word in f"{key_names(action.keys)} {action.label} {action.help} {action.cli}".casefold() for word in words
        )
    ]
