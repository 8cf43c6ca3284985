"""Text in lines: status line, tabs, footer, inspectors, outputs. It scrolls, it can be selected, it reads no markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from rivus_tui.format import Line, literal
from rivus_tui.theme import class_style, role_style

Draw = Callable[[int], Sequence[Line]]
"""Makes the lines for a width in terminal cells."""


def nothing(_: int) -> Sequence[Line]:
    """Draw no lines."""
    return ()


class LinesView(ScrollView, can_focus=False):
    """Lines that a function draws for the width at hand; drawn again when the width changes."""

    DEFAULT_CSS = """
    LinesView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & > .line { color: $foreground; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line"}

    def __init__(self, draw: Draw = nothing, *, widget_id: str | None = None, hug: bool = False) -> None:
        """`hug`: be as high as the lines need."""
        super().__init__(id=widget_id)
        self._hug = hug
        self._draw = draw
        self._lines: list[Line] = []

    def show(self, draw: Draw, *, top: bool = False) -> None:
        """Draw other lines; `top` scrolls to the first."""
        self._draw = draw
        self.redraw()
        if top:
            self.scroll_to(y=0, animate=False)

    def redraw(self) -> None:
        """Draw again, as what is shown may have changed."""
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        lines = list(self._draw(width))
        if lines == self._lines and self.virtual_size.width == width:
            return
        before, self._lines = self._lines, lines
        if len(before) == len(lines) and self.virtual_size.width == width:
            # Mostly an age or a count has changed: only its line is painted.
            for at, (old, new) in enumerate(zip(before, lines, strict=True)):
                if old != new:
                    self.refresh_line(at)
            return
        if self._hug:
            self.styles.height = max(len(lines), 1)
        self.virtual_size = Size(width, len(lines))
        self.refresh()

    def redraw_in_place(self) -> None:
        """Draw again; the line that is scrolled to stays where it is, although others may have come above it."""
        top, before = round(self.scroll_offset.y), self._lines
        self.redraw()
        if 0 < top < len(before) and before[top] in self._lines:
            self.scroll_to(y=self._lines.index(before[top]), animate=False)

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return "\n".join("".join(part.text for part in line).rstrip() for line in self._lines)

    def move(self, rows: int) -> None:
        """Scroll by lines."""
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False)

    def move_page(self, pages: float) -> None:
        """Scroll by screens of lines."""
        self.move(int(pages * max(self.size.height, 1)))

    def move_end(self, *, first: bool) -> None:
        """Scroll to the first or the last line."""
        self.scroll_to(y=0 if first else len(self._lines), animate=False)

    def reveal(self, index: int) -> None:
        """Scroll no further than it takes to see a line."""
        height, top = self.size.height, round(self.scroll_offset.y)
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif height and index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new width."""
        self.redraw()

    def move_to(self, is_wanted: Callable[[Line], bool], *, back: bool = False) -> bool:
        """Scroll to the next line of a kind, or `back` to the one before; False if there is none."""
        top = round(self.scroll_offset.y)
        there = [at for at, line in enumerate(self._lines) if is_wanted(line) and (at < top if back else at > top)]
        if there:
            self.scroll_to(y=there[-1] if back else there[0], animate=False)
        return bool(there) and round(self.scroll_offset.y) != top

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what was selected with the mouse."""
        return selection.extract(self.text), "\n"

    def render_line(self, y: int) -> Strip:
        """Draw the line that is scrolled to line `y`."""
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        segments = []
        for part in self._lines[index]:
            style = role_style(self, part.role) if part.role else class_style(self, "line")
            # Cells are cleaned where they are made; cleaning is idempotent, and this is the last door.
            segments.append(Segment(literal(part.text).text, style))
        strip = Strip(segments)
        if (chosen := self.text_selection) is not None and (span := chosen.get_span(index)) is not None:
            start, end = span
            end = strip.cell_length if end == -1 else end
            marked = strip.crop(start, end).apply_style(self.screen.get_component_rich_style("screen--selection"))
            strip = Strip.join([strip.crop(0, start), marked, strip.crop(end)])
        return strip.adjust_cell_length(width, self.rich_style).apply_style(self.rich_style).apply_offsets(0, index)
