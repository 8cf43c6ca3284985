"""The app: it owns the screens, the pace of reading, toasts and the way out. It decides nothing about items."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.segment import Segments
from rich.text import Text
from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.screen import Screen
from textual.timer import Timer

from engine.contracts.api import EngineApi, Reader
from engine.kit.clock import Clock
from rivus_tui.desk import Desk
from rivus_tui.filters import SCOPES
from rivus_tui.keymap import PLAIN, Keymap
from rivus_tui.memory import Memory
from rivus_tui.messages import ItemOpened, ItemsAsked, ListAsked, ViewAsked, Woken
from rivus_tui.paste import guard_pastes
from rivus_tui.rooms import RoomSpec, screen_class, standing
from rivus_tui.screens.dialog import Choice, Dialog
from rivus_tui.screens.list_room import ListRoom
from rivus_tui.screens.room import Room
from rivus_tui.stylesheet import Styles
from rivus_tui.themes import DEFAULT, THEMES

if TYPE_CHECKING:
    from rivus_tui.links import Place
    from rivus_tui.screens.help import HelpScreen

log = logging.getLogger("rivus.tui")

_TICK_S: Final = 1.0
_ACTIVE_S: Final = 5.0
_STYLES: Final = "styles.tcss"


def styles_path() -> Path:
    """Return the style sheet: beside this file when installed, at the top of the repository otherwise."""
    here = Path(__file__).parent
    beside = here / _STYLES
    return beside if beside.is_file() else here.parent / _STYLES


# What the first screen does not show is imported when it is asked for: the first paint waits for none of it.


def _action_provider() -> type[Provider]:
    from rivus_tui.palette import ActionProvider

    return ActionProvider


def _place_provider() -> type[Provider]:
    from rivus_tui.palette import PlaceProvider

    return PlaceProvider


class RivusApp(App[int]):
    """The control room.

    With `engine=None` it is a viewer: everything can be looked at, nothing changed. `note` is shown in the banner,
    such as why it is a viewer. `root` is the folder that paths of items are relative to (default: the current one).
    The exit value is 0; after a crash `return_code` is 1 and the traceback is in the log.
    """

    TITLE = "Rivus"
    DEFAULT_MODE = "jobs"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = App.COMMANDS | {
        _action_provider,
        _place_provider,
    }
    BINDINGS: ClassVar[list[BindingType]] = []
    # Textual declares these two as variables of the instance, so they cannot be a ClassVar here.
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (70, "-normal"), (120, "-wide")]  # noqa: RUF012 - never changed
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-short"), (16, "-medium"), (36, "-tall")]  # noqa: RUF012 - never changed
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        *,
        engine: EngineApi | None,
        reader: Reader,
        project: str,
        clock: Clock,
        note: str | None = None,
        root: Path | None = None,
        painted: Callable[[], None] | None = None,
        keymap: Keymap = PLAIN,
        memory: Memory | None = None,
        place: Place | None = None,
        active: Callable[[], None] | None = None,
        config: Path | None = None,
    ) -> None:
        """`place`: where to begin, in place of where it was left. `painted` is called once, after the first screen has
        been drawn; `active` when the user has done something, every few seconds at most. `config` is the jobs.yaml that
        is in force, None for the built-in jobs."""
        self._active = active
        self._place = place
        self._active_at = 0.0
        memory = memory if memory is not None else Memory()
        if any(room.mode == memory.mode for room in standing()):
            self.DEFAULT_MODE = memory.mode  # type: ignore[misc]  # where this room was left
        self._painted = painted
        # Without colours only the terminal's own foreground and background are sure to differ.
        no_color = "NO_COLOR" in os.environ
        super().__init__(css_path=styles_path(), ansi_color=True if no_color else None)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "ansi-dark" if no_color else DEFAULT
        if not no_color and memory.theme in self.available_themes:
            self.theme = memory.theme
        self.stylesheet = Styles(self.get_css_variables())
        self.animation_level = "none"
        self.desk = Desk(
            engine=engine,
            reader=reader,
            project=project,
            clock=clock,
            note=note,
            root=root or Path.cwd(),
            keymap=keymap,
            memory=memory,
            config=config,
        )
        self.set_keymap({action_id: ",".join(keys) for action_id, keys in keymap.keys.items()})
        self._timer: Timer | None = None
        self._is_woken = False
        """Whether the engine has told of a change that was not read yet."""
        self._suspended = False
        self._mode_before = self.DEFAULT_MODE
        self._ticked_at = 0.0
        self._changes = 0
        self._unsubscribe: Callable[[], None] | None = None
        for room in standing():
            self.add_mode(room.mode, partial(self._enter, room))

    def get_driver_class(self) -> type[Driver]:
        """Return what reads the terminal."""
        guard_pastes()
        return super().get_driver_class()

    @property
    def summary(self) -> str:
        """What was done in this session, such as `3 accepted, 1 dropped`; empty for nothing."""
        return self.desk.session.summary()

    @property
    def failure(self) -> BaseException | None:
        """The error that ended the app, if one did."""
        return self._exception

    @property
    def room(self) -> Room | None:
        """The topmost screen that is not a dialog."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Room)), None)

    # Reading

    def on_mount(self) -> None:
        """Listen to the engine, and look at the clock once a second."""
        if self.desk.engine is not None:
            self._unsubscribe = self.desk.engine.subscribe(self._wake)
        if self._painted is not None:
            self.call_after_refresh(self._painted)
        if self._place is not None:
            self.call_after_refresh(self.go_to, self._place)
        self._ticked_at = self.desk.clock.monotonic()
        self.set_interval(_TICK_S, self._tick)
        self.app_suspend_signal.subscribe(self, lambda _: setattr(self, "_suspended", True))
        self.app_resume_signal.subscribe(self, lambda _: self._back())

    def on_unmount(self) -> None:
        """Hear no more of the engine; remember how the room was left."""
        memory = self.desk.memory
        memory.mode, memory.scope = self.current_mode, self.desk.scope
        memory.seen_at = self.desk.clock.now()
        if not self.no_color:
            memory.theme = self.theme
        memory.write()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _wake(self) -> None:
        """Called in the engine's thread: pass it on, unless the app is not there (any more)."""
        if not self.is_running or self._is_woken:
            return  # one wake-up is as good as many, until the rows are read again
        self._is_woken = True
        try:
            self.post_message(Woken())
        except RuntimeError:
            # The loop was closed between the question and the message.
            return

    def on_woken(self) -> None:
        """Read again when the pace allows it."""
        self._refresh_soon()
        if self._timer is None:
            self._is_woken = False

    def _refresh_soon(self) -> None:
        if self._timer is not None or self._suspended:
            return
        wait = self.desk.pace.wait_s(self.desk.clock.monotonic())
        if wait <= 0:
            self._refresh_now()
        else:
            self._timer = self.set_timer(wait, self._refresh_now)

    def _refresh_now(self) -> None:
        self._timer = None
        self._is_woken = False
        room = self.room
        if room is not None and room.is_whole and not self._suspended:
            room.reload()

    def _tick(self) -> None:
        """Keep clock and ages right; see changes that no wake-up told of (a viewer gets none)."""
        desk = self.desk
        now = desk.clock.monotonic()
        desk.lag_ms = max(round((now - self._ticked_at - _TICK_S) * 1000), 0)
        self._ticked_at = now
        if self._suspended:
            return
        try:
            changes = desk.reader.change_count()
        except Exception:
            # Whatever a vanished state file raises: reading rows shows it in the banner.
            log.exception("looking for changes failed")
            changes = -1
        if changes != self._changes:
            self._changes = changes
            self._refresh_soon()
        elif (room := self.room) is not None:
            room.draw_frame()

    def _back(self) -> None:
        """The terminal is this app's again: show what is true now."""
        self._suspended = False
        self._ticked_at = self.desk.clock.monotonic()
        self._refresh_soon()

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is there: a key, a paste, a click."""
        if self._active is not None and isinstance(event, (events.Key, events.Paste, events.MouseDown)):
            now = time.monotonic()
            if now - self._active_at > _ACTIVE_S:
                self._active_at = now
                self._active()
        await super().on_event(event)

    def on_app_focus(self) -> None:
        """A person looks: full pace."""
        self.desk.pace.focused = True
        self._refresh_soon()

    def on_app_blur(self) -> None:
        """Nobody looks: slow down."""
        self.desk.pace.focused = False

    # Going about

    def switch_mode(self, mode: str) -> Any:
        """Go to a screen and remember where from."""
        if mode != self.current_mode:
            self._mode_before = self.current_mode
        return super().switch_mode(mode)

    def action_last_view(self) -> None:
        """Go back to the screen before this."""
        self.switch_mode(self._mode_before)

    def _enter(self, room: RoomSpec) -> Screen[None]:
        screen: Screen[None] = screen_class(room)(self.desk)
        return screen

    async def on_items_asked(self, message: ItemsAsked) -> None:
        """Show the items that a filter lets through, on the screen of items."""
        await self.switch_mode("items")
        if isinstance(screen := await self._list(), ListRoom):
            screen.call_after_refresh(screen.show_filtered, message.filter, message.back)

    async def on_list_asked(self, message: ListAsked) -> None:
        """Show a list, whatever was opened from it."""
        await self.switch_mode(message.mode)
        await self._list()

    async def _list(self) -> Room | None:
        """Close the items that are open in this mode; returns what is below them."""
        from rivus_tui.screens.item import ItemScreen

        while isinstance(self.room, ItemScreen):
            await self.pop_screen()
        return self.room

    async def on_view_asked(self, message: ViewAsked) -> None:
        """Show a view that was saved."""
        view = message.view
        if not any(room.mode == view.mode for room in standing()):
            return
        self.desk.scope = next((scope for scope in SCOPES if scope == view.scope), self.desk.scope)
        await self.switch_mode(view.mode)
        if isinstance(screen := await self._list(), ListRoom):
            screen.call_after_refresh(screen.show_view, view)

    def go_to(self, place: Place) -> None:
        """Go where a link leads."""
        if place.item is not None:
            self.post_message(ItemOpened(place.item))
        else:
            self.post_message(ViewAsked(place.view))

    def on_item_opened(self, message: ItemOpened) -> None:
        """Show one item."""
        from rivus_tui.screens.item import ItemScreen

        self.push_screen(ItemScreen(self.desk, message.key, self.current_mode))

    def action_show_help(self) -> None:
        """Show every action of this screen."""
        from rivus_tui.screens.help import HelpScreen

        room = self.room
        if room is None or isinstance(self.screen, HelpScreen):
            return

        def chosen(action_id: str | None) -> None:
            if action_id is not None:
                room.action_do(action_id)

        self.push_screen(HelpScreen(room.KIND, room.offers(), room.situation(), self.desk), chosen)

    def on_help_screen_copy_asked(self, message: HelpScreen.CopyAsked) -> None:
        """Copy a command line."""
        if (room := self.room) is not None:
            room.copy_out(message.text)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer themes; without colours there is nothing to choose."""
        if not self.no_color:
            yield SystemCommand("Theme", "Change the colours", self.action_change_theme)

    # Leaving

    def action_help_quit(self) -> None:
        """Treat ctrl+c with nothing selected as `q`."""
        self.run_worker(self.action_quit(), exit_on_error=True)

    async def action_quit(self) -> None:
        """Leave at once when nothing runs; else ask how."""
        desk = self.desk
        running = desk.engine.running() if desk.engine is not None else 0
        if running == 0 and not desk.draining:
            self.exit(0)
            return
        if isinstance(self.screen, Dialog):
            return
        drain = () if desk.draining else (Choice(key="d", label="drain: let it end, then quit", value="drain"),)
        choices = (
            *drain,
            Choice(key="s", label="stop now: what runs is released and starts again next time", value="stop"),
            Choice(key="n", label="stay", value=None),
        )
        title = f"{running} running" if running != 1 else "1 is running"
        self.push_screen(Dialog(desk.clock, title, ("Nothing is lost either way.",), choices), self._leave)

    async def action_to_shell(self) -> None:
        """Stand still until `fg`; asks first where work of an engine in this process would stand still too."""
        engine = self.desk.engine
        running = 0 if engine is None or engine.attached() else engine.running()
        if running == 0:
            self.action_suspend_process()
            return
        choices = (
            Choice(key="y", label="to the shell", value="suspend"),
            Choice(key="n", label="stay", value=None),
        )
        text = (
            "The engine of this room stands still with it: `fg` lets both go on. Nothing is lost, but what runs may "
            "reach its time limit. `rivus --serve` works without a room.",
        )
        dialog = Dialog(self.desk.clock, f"{running} running: to the shell?", text, choices)
        self.push_screen(dialog, lambda answer: self.action_suspend_process() if answer is not None else None)

    def _leave(self, how: str | None) -> None:
        if how is not None:
            self.run_worker(self._stop(drain=how == "drain"), group="leave", exit_on_error=True)

    async def _stop(self, *, drain: bool) -> None:
        engine = self.desk.engine
        if engine is not None:
            self.desk.draining = drain
            if (room := self.room) is not None:
                room.draw_frame()
            await engine.stop(drain=drain)
        self.exit(0)

    # Failing

    def _fatal_error(self) -> None:
        """End after an unhandled exception: the traceback goes to the log, never (with its values) to the terminal."""
        error = self._exception
        log.critical("the app ended on an error", exc_info=error)
        kind = type(error).__name__ if error is not None else "error"
        text = Text(f"Rivus stopped on an unexpected {kind}.\n")
        text.append("The work is safe: the engine ends as on every stop.")
        self._exit_renderables.append(Segments(self.console.render(text, self.console.options)))
        self._close_messages_no_wait()
