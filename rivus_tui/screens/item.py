"""One item: its stages, and what each left, failed with, or waits for."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.view import ItemDetail, ItemView
from rivus_tui.actions.action import Action
from rivus_tui.again_page import again_text, why_not_again
from rivus_tui.desk import Desk
from rivus_tui.export import as_json
from rivus_tui.fields import value_of
from rivus_tui.format import Cell, Line, cell, line
from rivus_tui.item_page import PARTS, Part, header_lines, part_lines, part_tabs, stage_lines
from rivus_tui.links import Place, link_to
from rivus_tui.messages import ListAsked
from rivus_tui.possible import Situation
from rivus_tui.screens.dialog import TextPrompt, confirm
from rivus_tui.screens.item_room import ItemRoom
from rivus_tui.screens.items import current_stage
from rivus_tui.screens.room import Mover, bindings_of
from rivus_tui.sources import ItemKey
from rivus_tui.widgets.lines_view import LinesView


class ItemScreen(ItemRoom):
    """One item, opened from a list."""

    KIND = "item"
    BINDINGS = bindings_of("item")

    def __init__(self, desk: Desk, key: ItemKey, mode: str) -> None:
        super().__init__(desk)
        self.MODE = mode  # type: ignore[misc]  # the tab it was opened from
        self._key = key
        self._detail: ItemDetail | None = None
        self._gone = False
        self._stage: int | None = None
        self._part: Part = "output"

    def body(self) -> Iterator[Widget]:
        """Put the parts below or beside the stages."""
        yield LinesView(self._header, widget_id="item-header", hug=True)
        with Container(id="body", classes="-item"):
            yield LinesView(self._stages, widget_id="stages", hug=True)
            yield LinesView(self._tabs, widget_id="part-tabs")
            yield LinesView(self._body, widget_id="part")

    def panes(self) -> Sequence[Mover]:
        """Return the stages, then the open part."""
        return (_StageMover(self), self.query_one("#part", LinesView))

    def read(self) -> None:
        """Read the item again; when it is gone, what was known stays."""
        detail = self.desk.reader.item(*self._key)
        self._gone = detail is None
        if detail is not None:
            self._detail = detail
        self._draw_all()

    def _draw_all(self) -> None:
        part = self.query_one("#part", LinesView)
        # Who reads the newest lines of a session goes on reading them; who has scrolled up is left alone.
        follows = self._part == "session" and part.is_vertical_scroll_end
        for name in ("#item-header", "#stages", "#part-tabs", "#part"):
            self.query_one(name, LinesView).redraw()
        if follows:
            self.call_after_refresh(part.move_end, first=False)
        self.call_after_refresh(self._show_stage)
        self.offer()

    def _show_stage(self) -> None:
        """Keep the chosen stage in sight, where there are more than fit."""
        self.query_one("#stages", LinesView).reveal(self.stage)

    @property
    def stage(self) -> int:
        """Index of the stage whose output is shown."""
        if self._detail is None:
            return 0
        chosen = current_stage(self._detail) if self._stage is None else self._stage
        return max(0, min(chosen, len(self._detail.stages) - 1))

    def choose_stage(self, index: int) -> None:
        """Show the output of another stage."""
        self._stage = max(0, min(index, (len(self._detail.stages) if self._detail is not None else 1) - 1))
        self._draw_all()
        self._begin_part()

    def chosen_items(self) -> tuple[ItemView, ...]:
        """Return this item."""
        return () if self._detail is None or self._gone else (self._detail.item,)

    def focused_detail(self) -> ItemDetail | None:
        """Return this item."""
        return self._detail

    def situation(self) -> Situation:
        """Return this item."""
        detail = self._detail
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            items=self.chosen_items(),
            cursor=None if detail is None else detail.item,
            rows=0 if detail is None else len(detail.stages),
            waits=detail is not None and any(stage.state == "waiting" for stage in detail.stages),
            copyable=self._key[1],
        )

    def copies(self) -> list[tuple[str, str]]:
        """Return the ways to copy the item."""
        job, key = self._key
        show = f"rivus items show {shlex.quote(job)} {shlex.quote(key)}"
        known = [] if self._detail is None else [("JSON", as_json(self._detail))]
        here = ("a link to it", link_to(Place(mode=self.MODE, item=self._key)))
        return [*super().copies(), here, *known, ("the command line that shows it", show)]

    def label(self, action: Action) -> str:
        """Return the part that comes next."""
        if action.id == "next_part":
            return PARTS[(PARTS.index(self._part) + 1) % len(PARTS)].capitalize()
        return action.label

    def _header(self, width: int) -> Sequence[Line]:
        if self._detail is None:
            what = "cannot be read" if self.desk.trouble else "is not there"
            return (line(Cell(f"This item {what}.  Esc goes back.", "wait")),)
        lines = header_lines(self._detail, self.desk.clock.now(), width)
        if self._gone:
            lines.append((Cell("It has been taken out since; this is what was known of it.", "wait"),))
        return lines

    def _stages(self, width: int) -> Sequence[Line]:
        if self._detail is None:
            return ()
        return stage_lines(self._detail, self.stage, self.desk.clock.now(), width)

    def _tabs(self, width: int) -> Sequence[Line]:
        return () if self._detail is None else (part_tabs(self._detail, self._part, width),)

    def _body(self, width: int) -> Sequence[Line]:
        if self._detail is None:
            return ()
        return part_lines(self._detail, self.stage, self._part, self.desk.clock.now(), width)

    def do_amend(self) -> None:
        items = self.chosen_items()
        if not items:
            self.say("it is no longer there", "warning")
            return
        known = ", ".join(cell(name, limit=30).text for name in list(items[0].data)[:8])
        question = f"FIELD=VALUE, as JSON or plain text; nothing after = takes it away. Known: {known or 'none'}."

        def trouble(text: str) -> str:
            return "" if text.partition("=")[0].strip() and "=" in text else "write FIELD=VALUE"

        def answered(text: str | None) -> None:
            if text is None:
                return
            name, _, value = text.partition("=")
            fields = {name.strip(): value_of(value.strip()) if value.strip() else None}
            self.send("amend", items, {"fields": fields}, decided=False)

        self.app.push_screen(TextPrompt("Change its data", question, check=trouble), answered)

    def do_again(self) -> None:
        detail, items = self._detail, self.chosen_items()
        if detail is None or not detail.stages:
            self.say("it has no stages", "warning")
            return
        stage = detail.stages[self.stage].stage
        if why := why_not_again(detail, stage):
            self.say(why, "warning")
            return

        def answered(value: str | None) -> None:
            if value is not None:
                self.send("reset", items, {"stage": stage}, decided=False)

        title = f"Again from {cell(stage).text}?"
        text = again_text(detail, stage, self.desk.clock.now())
        self.app.push_screen(confirm(self.desk.clock, title, text, "run it again", "leave it"), answered)

    def do_next_part(self) -> None:
        self._turn(1)

    def do_previous_part(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        self._part = PARTS[(PARTS.index(self._part) + step) % len(PARTS)]
        self._draw_all()
        self._begin_part()

    def _begin_part(self) -> None:
        """Show the begin of another part; of a session, its end."""
        part = self.query_one("#part", LinesView)
        if self._part == "session":
            self.call_after_refresh(part.move_end, first=False)  # how far it scrolls is known by then
        else:
            part.move_end(first=True)

    def do_escape(self) -> None:
        if self._pane:
            super().do_escape()
        else:
            self.app.pop_screen()

    def do_last_view(self) -> None:
        self.app.pop_screen()

    def go(self, mode: str) -> None:
        """Go to another screen; to the one that this was opened from: back to its list."""
        if mode == self.MODE:
            self.app.post_message(ListAsked(mode))
        else:
            super().go(mode)


class _StageMover:
    """Lets the arrow keys walk through stages, and page keys through the part that is open."""

    def __init__(self, screen: ItemScreen) -> None:
        self._screen = screen

    def move(self, rows: int) -> None:
        self._screen.choose_stage(self._screen.stage + rows)

    def move_page(self, pages: float) -> None:
        self._screen.query_one("#part", LinesView).move_page(pages)

    def move_end(self, *, first: bool) -> None:
        self._screen.choose_stage(0 if first else 10_000)
