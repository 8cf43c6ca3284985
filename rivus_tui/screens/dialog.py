"""Questions: one key answers each choice, Enter and Esc change nothing, and a key still held down is not an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from rivus_tui.actions.action import key_name
from rivus_tui.format import Cell, Line, cell, fit_line, hang, wrap
from rivus_tui.theme import ROLE_CLASSES, Role
from rivus_tui.widgets.lines_view import LinesView

_DEAF_S: Final = 0.15
"""Keys within this time after opening are repeats of the key that opened the question."""

_BORDER: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One answer."""

    key: str
    """As Textual names it."""
    label: str
    value: str | None
    """What the dialog returns; None: leave everything as it is."""


class Dialog(ModalScreen[str | None]):
    """Asks one question; returns the chosen value, None for no."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,ctrl+c", "leave", show=False),
        Binding("ctrl+q", "leave", show=False, priority=True),
        Binding("down", "scroll_by(1)", show=False),
        Binding("up", "scroll_by(-1)", show=False),
    ]

    def __init__(
        self, clock: Clock, title: str, text: Sequence[str], choices: Sequence[Choice], *, danger: bool = False
    ) -> None:
        super().__init__()
        self._clock = clock
        self._title = title
        self._text = text
        self._choices = choices
        self._danger = danger
        self._opened_at = clock.monotonic()

    def compose(self) -> ComposeResult:
        """Put the question in a box."""
        with Vertical(id="box", classes="-danger" if self._danger else ""):
            yield LinesView(self._draw, widget_id="question")

    def on_mount(self) -> None:
        """Make the box as high as its text."""
        self.fit()

    def on_resize(self, event: events.Resize) -> None:
        """Make the box as high as its text at the new width."""
        self.fit()

    @property
    def choices(self) -> Sequence[Choice]:
        """What can be answered now."""
        return self._choices

    @property
    def inner_width(self) -> int:
        """Columns of text in the box."""
        return min(max(self.size.width - 4, 20), 76) - 4

    @property
    def rows(self) -> int:
        """Lines of text that the box can have."""
        return self.size.height - _BORDER

    def fit(self) -> None:
        """Make the box as high as its text."""
        box = self.query_one("#box")
        box.styles.width = self.inner_width + 4
        box.styles.height = min(len(self._draw(self.inner_width)), self.rows) + _BORDER

    def question(self, width: int) -> list[Line]:
        """Return what stands above the choices."""
        lines: list[Line] = [fit_line([cell(self._title, "strong")], width), ()]
        for paragraph in self._text:
            lines += [(Cell(text),) for text in wrap(cell(paragraph).text, width)]
        return [*lines, ()]

    def pages(self, width: int) -> Sequence[Line]:
        """Return what stands below the choices."""
        return ()

    def _draw(self, width: int) -> Sequence[Line]:
        lines = self.question(width)
        for choice in self.choices:
            role: Role = "bad" if self._danger and choice.value is not None else "strong"
            keys = key_name(choice.key) if choice.value is not None else f"{key_name(choice.key)}, Esc, Enter"
            lines.append(fit_line([Cell("  "), Cell(keys, role), Cell("  "), cell(choice.label)], width))
        return [*lines, *self.pages(width)]

    def on_key(self, event: events.Key) -> None:
        """Take an answer."""
        for choice in self.choices:
            if event.key == choice.key:
                event.stop()
                if self._clock.monotonic() - self._opened_at >= _DEAF_S:
                    self.dismiss(choice.value)
                return

    def action_scroll_by(self, rows: int) -> None:
        """Scroll a question that is higher than the screen."""
        self.query_one("#question", LinesView).move(rows)

    def action_leave(self) -> None:
        """Change nothing."""
        if self._clock.monotonic() - self._opened_at >= _DEAF_S:
            self.dismiss(None)


def confirm(clock: Clock, title: str, text: Sequence[str], yes: str, no: str) -> Dialog:
    """Return a question that only `y` says yes to."""
    choices = (Choice(key="y", label=yes, value="yes"), Choice(key="n", label=no, value=None))
    return Dialog(clock, title, text, choices, danger=True)


class TextPrompt(ModalScreen[str | None]):
    """Asks for one line of text; Enter takes it, Esc leaves. What cannot be taken stays, with why, to be mended."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(
        self,
        title: str,
        question: str,
        value: str = "",
        *,
        may_be_empty: bool = False,
        check: Callable[[str], str] = lambda _: "",
    ) -> None:
        """`may_be_empty`: Enter on an empty line is an answer too; `check` says what is wrong with one."""
        super().__init__()
        self._check = check
        self._problem = ""
        self._may_be_empty = may_be_empty
        self._title = title
        self._question = question
        self._value = value

    def compose(self) -> ComposeResult:
        """Put the question over an input."""
        with Vertical(id="box"):
            yield LinesView(self._draw, widget_id="question")
            yield Input(self._value, id="answer", compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        """Make the box as high as its text and start typing."""
        self._fit()
        # A prompt that is closed while it opens has no input any more.
        for field in self.query(Input):
            field.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Make the box as high as its text at the new width."""
        self._fit()

    def _fit(self) -> None:
        width = min(max(self.size.width - 4, 20), 76)
        box = self.query_one("#box")
        box.styles.width = width
        box.styles.height = min(len(self._draw(width - 4)) + 3, self.size.height)

    def _draw(self, width: int) -> Sequence[Line]:
        lines: list[Line] = [fit_line([cell(self._title, "strong")], width), ()]
        lines += [(Cell(text),) for text in wrap(cell(self._question).text, width)]
        lines += [(Cell(text, "bad"),) for text in wrap(cell(self._problem).text, width) if self._problem]
        return [*lines, ()]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the text; an empty one is no answer, unless it may be."""
        text = event.value.strip()
        self._problem = self._check(text) if text else ""
        if not self._problem:
            self.dismiss(text or ("" if self._may_be_empty else None))
            return
        self._fit()
        self.query_one("#question", LinesView).redraw()

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)


class Reading(ModalScreen[str | None]):
    """Shows text in lines; any key that it does not know itself closes it, and is returned for the screen below."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace,w,ctrl+c", "leave", show=False),
        Binding("enter", "enter", show=False),
        Binding("j,down", "scroll_by(1)", show=False),
        Binding("k,up", "scroll_by(-1)", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[Line]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Put the text in a box."""
        with Vertical(id="box"):
            yield LinesView(self._draw, widget_id="question")

    def on_mount(self) -> None:
        """Make the box as high as its text."""
        width = min(max(self.size.width - 4, 20), 90)
        box = self.query_one("#box")
        box.styles.width = width
        box.styles.height = min(len(self._draw(width - 4)) + 2, self.size.height)

    def _draw(self, width: int) -> Sequence[Line]:
        head: list[Line] = [fit_line([cell(self._title, "strong")], width), ()]
        body = [row for line in self._lines for row in hang(line, width)]
        return [*head, *body, (), (Cell("Esc closes", "muted"),)]

    def on_key(self, event: events.Key) -> None:
        """Hand on a key that the text speaks of, such as `r` to try again."""
        if event.is_printable and event.key not in ("j", "k", "q", "w"):
            event.stop()
            self.dismiss(event.key)

    def action_enter(self) -> None:
        """Close; where the text speaks of Enter, it is handed on like every other key."""
        spoken = any("Enter " in part.text for line in self._lines for part in line)
        self.dismiss("enter" if spoken else None)

    def action_scroll_by(self, rows: int) -> None:
        """Scroll the text."""
        self.query_one(LinesView).move(rows)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)
