"""The frame of every screen: status, tabs, banner, footer; keys become actions here, and only here."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from engine.contracts.commands import CommandOutcome
from engine.kit.safe_text import safe_block
from rivus_tui.actions.action import Action, key_name
from rivus_tui.actions.registry import action_of, actions_of, elsewhere, footer_of
from rivus_tui.clipboard import copy_text
from rivus_tui.desk import Desk
from rivus_tui.editor import EditorProblem, edit
from rivus_tui.filters import next_scope
from rivus_tui.format import Line, moment
from rivus_tui.goto import goal
from rivus_tui.possible import Situation
from rivus_tui.said import Severity
from rivus_tui.screens.dialog import Choice, Dialog, Reading, TextPrompt
from rivus_tui.since_page import since_lines
from rivus_tui.theme import ROLE_CLASSES
from rivus_tui.traces import line_of
from rivus_tui.widgets.footer import Footer
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.status_line import Pulse, banner_line, status_line, tab_at, tab_line

log = logging.getLogger("rivus.tui")


_DAY_MS = 86_400_000


class Mover(Protocol):
    """A pane that the arrow keys can move."""

    def move(self, rows: int) -> None: ...
    def move_page(self, pages: float) -> None: ...
    def move_end(self, *, first: bool) -> None: ...


class TabLine(LinesView):
    """The line of screens; a click goes there."""

    ALLOW_SELECT = False

    class Pressed(Message):
        """The column of a tab was clicked."""

        def __init__(self, x: int) -> None:
            super().__init__()
            self.x = x

    def on_click(self, event: events.Click) -> None:
        """Go to the screen under the mouse."""
        self.post_message(self.Pressed(event.x))


def bindings_of(kind: str) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return the key bindings of a screen; ctrl+q works everywhere, even in an input."""
    return [
        Binding(key, f"do('{action.id}')", action.label, show=False, priority=key == "ctrl+q", id=action.id)
        for action in actions_of(kind)
        for key in action.keys
    ]


class Room(Screen[None]):
    """A screen with the frame around it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)
    AUTO_FOCUS = ""
    KIND: ClassVar[str]
    """Which actions it has."""
    MODE: ClassVar[str]
    """Which tab is lit."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._pane = 0
        self._was_left = False
        self.is_whole = False
        """Whether its widgets are there."""

    # Frame

    def compose(self) -> ComposeResult:
        """Put the frame around the body."""
        yield LinesView(self._draw_status, widget_id="status")
        yield TabLine(self._draw_tabs, widget_id="tabs")
        yield LinesView(lambda width: banner_line(self.desk.banner, width), widget_id="banner")
        yield from self.body()
        yield Footer(widget_id="footer")

    def body(self) -> Iterator[Widget]:
        """Return the widgets between banner and footer."""
        raise NotImplementedError

    def panes(self) -> Sequence[Mover]:
        """Return the panes that the arrow keys can move, the list first."""
        raise NotImplementedError

    def read(self) -> None:
        """Read the rows again."""
        raise NotImplementedError

    def situation(self) -> Situation:
        """Return what a person looks at now."""
        return Situation(screen=self.KIND, read_only=self.desk.read_only)

    def offers(self) -> list[tuple[Action, str]]:
        """Return every action with the keys it has here, and why it cannot be done now (empty: it can)."""
        now = self.situation()
        return [(self.desk.keymap.applied(action), action.reason(now)) for action in actions_of(self.KIND)]

    def label(self, action: Action) -> str:
        """Return what the footer calls an action here."""
        return action.label

    def _draw_status(self, width: int) -> Sequence[Line]:
        desk, status = self.desk, self.desk.status
        pulse = Pulse(
            project=desk.project,
            running=status.running if status else 0,
            ready=status.ready if status else 0,
            failed=status.failed if status else 0,
            waiting=status.waiting if status else 0,
            lag_ms=desk.lag_ms,
            now=desk.clock.now(),
            frozen_at=desk.frozen_at,
            news=desk.news,
            live=status is not None and status.engine is not None,
            read_only=bool(desk.read_only),
            starting=desk.starting,
            unread=desk.said.unread,
            budget=status.budget if status else None,
        )
        return (status_line(pulse, width),)

    def _draw_tabs(self, width: int) -> Sequence[Line]:
        return (tab_line(self.MODE, self._badges, width),)

    @property
    def _badges(self) -> Mapping[str, int]:
        return self.desk.status.badges if self.desk.status is not None else {}

    def on_tab_line_pressed(self, event: TabLine.Pressed) -> None:
        """Go to the screen under the mouse."""
        if (mode := tab_at(event.x, self.MODE, self._badges, self.size.width)) is not None:
            self.go(mode)

    def draw_frame(self) -> None:
        """Draw the frame again, unless the screen is still being put together or taken apart already."""
        if not self.is_whole or self.query_one_optional("#footer") is None:
            return
        self.query_one("#status", LinesView).redraw()
        self.query_one("#tabs", LinesView).redraw()
        banner = self.query_one("#banner", LinesView)
        banner.display = bool(self.desk.banner)
        banner.redraw()
        self.offer()

    def offer(self) -> None:
        """Show what can be done now."""
        now = self.situation()
        self.query_one(Footer).offer(
            [
                (self.desk.keymap.applied(action), self.label(action), action.reason(now))
                for action in footer_of(self.KIND)
            ]
        )

    def reload(self, *, even_frozen: bool = False) -> None:
        """Read rows and status again; a failure keeps what is on the screen and is shown in the banner."""
        if not self.is_attached:
            return  # it was left for good while a command was under way
        desk = self.desk
        began = desk.clock.monotonic()
        desk.trouble = ""
        with self.reading():
            desk.read_status()
            if desk.bell_is_due:
                desk.bell_is_due = False
                self.app.bell()
            if desk.frozen_at is None or even_frozen:
                self.read()
        desk.pace.refreshed_at = desk.clock.monotonic()
        desk.pace.cost_s = desk.pace.refreshed_at - began
        self.draw_frame()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read something: whatever a damaged or vanished state file raises, the screen stays and the banner says so."""
        try:
            yield
        except Exception as error:
            log.exception("reading rows failed")
            self.desk.trouble = safe_block(str(error) or type(error).__name__, 200)

    def on_mount(self) -> None:
        """Read at once, so that the first picture has the rows in it."""
        self.is_whole = True
        self.reload(even_frozen=True)
        if self.desk.comes_back:
            self.desk.comes_back = False
            self.call_after_refresh(self.tell_since, quiet=True)

    def on_screen_resume(self) -> None:
        """Show what is true now when the screen comes back."""
        if self._was_left:
            self.reload(even_frozen=True)

    def on_screen_suspend(self) -> None:
        """Remember that other screens were looked at since."""
        self._was_left = True

    # Keys

    def action_do(self, action_id: str) -> None:
        """Run an action of the registry, or say why it cannot be done."""
        self.desk.pace.key_at = self.desk.clock.monotonic()
        action = action_of(self.KIND, action_id)
        if reason := action.reason(self.situation()):
            self.say(f"{self.label(action)}: {reason}", "warning")
            return
        if action.goes_to is not None:
            self.go(action.goes_to)
        else:
            getattr(self, f"do_{action_id}")()

    def carry_out(self, work: Coroutine[Any, Any, None]) -> None:
        """Give a command and tell what came of it, even where the screen is left before the engine has answered."""
        self.app.run_worker(work, group="commands", exit_on_error=True)

    def on_key(self, event: events.Key) -> None:
        """Say so where a key does nothing here that does something on other screens."""
        if event.key not in self.active_bindings and event.key in elsewhere():
            self.say(f"{key_name(event.key)}: nothing on this screen; ? shows what there is", "warning")

    def on_footer_pressed(self, event: Footer.Pressed) -> None:
        """A click on the footer is the key."""
        self.action_do(event.action_id)

    def open_file(self, root: Path, path: str, line: int | None) -> None:
        """Open a file below `root` in the person's editor; the screen is read again when it is closed."""

        async def open_it() -> None:
            try:
                await edit(self.app, root, path, line)
            except EditorProblem as problem:
                self.say(str(problem), "error")
            self.reload(even_frozen=True)

        self.run_worker(open_it(), group="editor", exit_on_error=True)

    def config_place(self) -> tuple[str, ...]:
        """Return the keys in jobs.yaml that lead to what is under the cursor."""
        return ()

    def do_config(self) -> None:
        config = self.desk.config
        if config is None:
            self.say("the built-in jobs have no file; `rivus init` writes a jobs.yaml to begin with", "warning")
            return
        try:
            text = config.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            self.say(f"{config.name} cannot be read: {error.strerror}", "error")
            return
        self.open_file(config.parent, config.name, line_of(text, *self.config_place()))

    def read_out(self, title: str, lines: Sequence[Line]) -> None:
        """Show lines to read; a key that they speak of closes them and does what it does here.

        It changes nothing where the rows have moved meanwhile, so that the cursor stands on something else.
        """
        about = self.situation().copyable

        def left(key: str | None) -> None:
            if key is None:
                return
            action = next((action for action, _ in self.offers() if key in action.keys), None)
            if action is not None and action.level and self.situation().copyable != about:
                self.say(f"{self.label(action)}: what was read about is no longer under the cursor", "warning")
            elif action is not None:
                self.action_do(action.id)

        self.app.push_screen(Reading(title, lines), left)

    def say(self, text: str, severity: Severity = "information") -> None:
        """Show a toast in place of the one before; `!` shows all of them again, and errors are counted until then."""
        timeout = 12.0 if severity == "error" else 5.0
        text = safe_block(text, 500)
        self.desk.said.add(text, severity, self.desk.clock.now())
        self.app.clear_notifications()  # what it said is no longer true, such as `u undo` after an undo
        if not self.desk.banner_says(text):
            self.notify(text, severity=severity, timeout=timeout, markup=False)
        self.draw_frame()

    def report(self, name: str, *outcomes: CommandOutcome) -> None:
        """Show what a command did, in each job that it was given to, and how to take it back."""
        said = "; ".join(outcome.message for outcome in outcomes)
        if not all(outcome.ok for outcome in outcomes):
            self.say(said, "error")
            return
        undo = "   u undo" if any(self.desk.can_undo(name, outcome) for outcome in outcomes) else ""
        self.say(f"{said}{undo}", "warning" if any(outcome.skipped for outcome in outcomes) else "information")

    @property
    def pane(self) -> Mover:
        """The pane that the arrow keys move."""
        panes = self.panes()
        return panes[self._pane % len(panes)]

    def do_down(self) -> None:
        self.pane.move(1)

    def do_up(self) -> None:
        self.pane.move(-1)

    def do_page_down(self) -> None:
        self.pane.move_page(1)

    def do_page_up(self) -> None:
        self.pane.move_page(-1)

    def do_half_down(self) -> None:
        self.pane.move_page(0.5)

    def do_half_up(self) -> None:
        self.pane.move_page(-0.5)

    def do_first(self) -> None:
        self.pane.move_end(first=True)

    def do_last(self) -> None:
        self.pane.move_end(first=False)

    def do_pane(self) -> None:
        panes = self.panes()
        self._pane = (self._pane + 1) % len(panes)
        for index, pane in enumerate(panes):
            if isinstance(pane, Widget):
                pane.set_class(index == self._pane and index > 0, "-moving")

    def go(self, mode: str) -> None:
        """Go to another numbered screen."""
        self.app.switch_mode(mode)

    async def _run(self, action: str) -> None:
        await self.app.run_action(action)

    def do_last_view(self) -> None:
        self.run_worker(self._run("app.last_view"), exit_on_error=True)

    def do_said(self) -> None:
        self.app.clear_notifications()  # they would lie over it
        self.read_out("Said in this room, the newest first", self.desk.said.lines())
        self.draw_frame()

    def do_goto(self) -> None:
        found: Message | None = None

        def trouble(name: str) -> str:
            nonlocal found
            found = None
            with self.reading():
                found = goal(name, self.desk.reader, self.desk.memory, self.MODE)
            return "" if found is not None else f"nothing here is called {name}"

        def named(name: str | None) -> None:
            if name is not None and found is not None:
                self.app.post_message(found)

        examples = "A screen, a job, an item, file:line, an incident, a version, a saved view, or a filter."
        self.app.push_screen(TextPrompt("Go to", examples, check=trouble), named)

    def do_help(self) -> None:
        self.run_worker(self._run("app.show_help"), exit_on_error=True)

    def do_suspend(self) -> None:
        self.run_worker(self._run("app.to_shell"), exit_on_error=True)

    def do_quit(self) -> None:
        self.run_worker(self._run("app.quit"), exit_on_error=True)

    def do_reload(self) -> None:
        self.reload(even_frozen=True)
        if self.desk.read_only:
            return

        async def ask() -> None:
            outcome = await self.desk.perform("reload", {})
            self.say(outcome.message, "information" if outcome.ok else "warning")
            self.reload(even_frozen=True)

        self.carry_out(ask())

    def do_escape(self) -> None:
        """Climb one step down the ladder."""
        if self._pane:
            self.do_pane()

    def do_freeze(self) -> None:
        if self.desk.frozen_at is None:
            with self.reading():
                self.desk.freeze()
            self.draw_frame()
        else:
            self.desk.follow()
            self.reload()

    def do_scope(self) -> None:
        self.desk.scope = next_scope(self.desk.scope)
        self.scope_changed()

    def scope_changed(self) -> None:
        """Show the rows of the other scope."""
        self.reload(even_frozen=True)

    def do_undo(self) -> None:
        async def undo() -> None:
            outcome, job, keys = await self.desk.undo()
            self.reload(even_frozen=True)
            self.say(outcome.message, "information" if outcome.ok else "error")
            if outcome.ok and job is not None and keys:
                self.undone(job, keys)

        self.carry_out(undo())

    def do_since(self) -> None:
        self.tell_since(quiet=False)

    def tell_since(self, *, quiet: bool) -> None:
        """Show what happened since this project was looked at before; `quiet`: not if that is nothing."""
        now = self.desk.clock.now()
        at = self.desk.seen_at or now - _DAY_MS
        with self.reading():
            view = self.desk.reader.since(at)
            if not (quiet and view.is_quiet):
                self.read_out(f"Since {moment(at, now)}", since_lines(view, now))

    def do_redo(self) -> None:
        async def redo() -> None:
            self.report("redo", await self.desk.perform("redo", {}))
            self.reload(even_frozen=True)

        self.carry_out(redo())

    def undone(self, job: str, keys: tuple[str, ...]) -> None:
        """Items are back as they were before."""

    def copies(self) -> list[tuple[str, str]]:
        """Return in which ways what is chosen can be copied: what each is called, and its text."""
        return [("its name", self.situation().copyable)]

    def do_copy_as(self) -> None:
        ways = self.copies()
        choices = [
            Choice(key=str(number), label=name, value=str(number)) for number, (name, _) in enumerate(ways, start=1)
        ]
        choices.append(Choice(key="n", label="nothing", value=None))

        def chosen(number: str | None) -> None:
            if number is not None:
                self.copy_out(ways[int(number) - 1][1])

        self.app.push_screen(Dialog(self.desk.clock, "Copy as", (), choices), chosen)

    def do_copy(self) -> None:
        self.copy_out(self.situation().copyable)

    def copy_out(self, text: str) -> None:
        """Copy a text, and say where it went."""

        async def copy() -> None:
            self.say(await copy_text(text, self.app.copy_to_clipboard))

        self.run_worker(copy(), group="clipboard", exit_on_error=True)
