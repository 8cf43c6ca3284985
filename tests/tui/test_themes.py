"""The terminal's own colours: nothing is written in the colour that it is written on."""

from __future__ import annotations

import pytest

from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable
from tests.tui.story import open_room


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
async def test_row_under_the_cursor_is_one_block(theme: str) -> None:
    async with open_room(None, theme=theme) as story:
        table = story.app.screen.query_one("#list", VirtualTable)
        styles = [segment.style for segment in table.render_line(1 + table.cursor) if segment.text.strip()]
        assert all(style is not None and style.reverse for style in styles)
        assert len({(style.color, style.bgcolor) for style in styles if style is not None}) == 1


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light", "rivus", "rivus-light", "colour-safe"])
async def test_banner_can_be_read(theme: str) -> None:
    async with open_room(None, theme=theme, viewer=True, note="READ-ONLY: this room only looks") as story:
        banner = story.app.screen.query_one("#banner", LinesView)
        segments = [segment for segment in banner.render_line(0) if "READ-ONLY" in segment.text]
        assert segments
        assert all(one.style is not None and one.style.color != one.style.bgcolor for one in segments)
