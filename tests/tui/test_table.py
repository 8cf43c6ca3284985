"""The virtual table: the cursor belongs to a record, columns fit, a million rows are no matter."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Hashable, Sequence
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.screen import Screen

import rivus_tui.screens
from engine.kit.clock import ManualClock
from rivus_tui.columns import Column, lay_out
from rivus_tui.format import Cell
from rivus_tui.sources import Anchor, ListSource
from rivus_tui.theme import ROLE_CLASSES
from rivus_tui.widgets.row_window import PAGE
from rivus_tui.widgets.virtual_table import VirtualTable
from tests.tui.pictures import frame

COLUMNS: tuple[Column[int], ...] = (
    Column(title="NUMBER", width=8, grow=1, show=lambda row, now: Cell(f"row {row}")),
    Column(title="EXTRA", width=6, drop=1, show=lambda row, now: Cell("x")),
)


class Counting:
    """So many numbers, counted reads, none of them in memory."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.pages = 0

    def key(self, row: int) -> Hashable:
        return row

    def count(self) -> int:
        return self.total

    def is_quick(self) -> bool:
        return True

    def give_up(self) -> None:
        """Nothing takes long."""

    def anchors(self, step: int) -> Sequence[Anchor]:
        return [(start,) for start in range(0, self.total, step)]

    def page(self, start: Anchor | None, limit: int) -> Sequence[int]:
        self.pages += 1
        first = 0 if start is None else int(start[0])
        return range(first, min(first + limit, self.total))


class TableApp(App[None]):
    """Only a table."""

    def __init__(self, source: Counting | ListSource[int]) -> None:
        super().__init__()
        self.table: VirtualTable[int] = VirtualTable(source, COLUMNS, ManualClock())

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.reload()


async def test_million_rows_read_a_few_pages() -> None:
    source = Counting(1_000_000)
    app = TableApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        app.table.move_end(first=False)
        await pilot.pause()
        assert "> row 999999" in frame(app).replace(">  ", "> ")
        app.table.move(-500_000)
        await pilot.pause()
        assert app.table.row == 499_999
        assert source.pages < 12


async def test_rows_show_before_the_anchors_are_there() -> None:
    app = TableApp(Counting(1_000_000))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert "row 0" in frame(app)


@pytest.mark.parametrize("gone", [range(5), range(40, 60), range(95)])
async def test_cursor_stays_on_its_record(gone: range) -> None:
    source = ListSource([*range(1_000)], lambda row: row)
    app = TableApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.move(100)
        await pilot.pause()
        source.rows = [row for row in source.rows if row not in gone]
        app.table.reload()
        assert app.table.row == 100


async def test_cursor_stays_at_the_same_height_when_rows_come_above() -> None:
    source = ListSource([*range(1_000)], lambda row: row)
    app = TableApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.move(100)
        await pilot.pause()
        before = app.table.cursor - app.table.scroll_offset.y
        source.rows = [*range(5_000, 5_007), *source.rows]
        app.table.reload()
        await pilot.pause()
        assert app.table.row == 100
        assert app.table.cursor - app.table.scroll_offset.y == before


async def test_record_that_goes_leaves_the_cursor_on_the_next() -> None:
    source = ListSource([*range(100)], lambda row: row)
    app = TableApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.move(50)
        source.rows = [row for row in source.rows if row != 50]
        app.table.reload()
        await pilot.pause()
        assert app.table.row == 51
        source.rows = []
        app.table.reload()
        assert list(app.table.chosen) == []
        source.rows = [7]
        app.table.reload()
        assert list(app.table.chosen) == [7]


async def test_page_edges_are_seamless() -> None:
    app = TableApp(Counting(3 * PAGE + 1))
    async with app.run_test(size=(60, 20)):
        assert [app.table.row_at(index) for index in (PAGE - 1, PAGE, 2 * PAGE, 3 * PAGE, 3 * PAGE + 1)] == [
            PAGE - 1,
            PAGE,
            2 * PAGE,
            3 * PAGE,
            None,
        ]


async def test_cursor_is_always_in_sight() -> None:
    app = TableApp(Counting(1_000))
    async with app.run_test(size=(60, 20)) as pilot:
        for move in (5, 200, -3, -150, 700, 900, -2_000, 19, 1):
            app.table.move(move)
            await pilot.pause()
            assert f"row {app.table.cursor} " in frame(app)
        await pilot.resize_terminal(60, 6)
        await pilot.pause()
        assert f"row {app.table.cursor} " in frame(app)


class Slow(Counting):
    """Takes a pass over all rows to count."""

    def is_quick(self) -> bool:
        return False


class Roles(Screen[None]):
    """Knows how text is drawn that has not been found yet."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)


class SlowApp(TableApp):
    """Only a table, of what takes long."""

    def get_default_screen(self) -> Screen[None]:
        return Roles()


async def test_another_filter_does_not_wait_for_the_rest_that_the_list_before_needs() -> None:
    app = SlowApp(Slow(5_000))
    async with app.run_test(size=(60, 20)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        app.table._pass_due = 1_000_000.0
        app.table.reload()
        app.table.show(Slow(300))
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.table.total == 300


async def test_wheel_scrolls_the_list() -> None:
    app = TableApp(Counting(1_000))
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.scroll_down(animate=False)
        await pilot.pause()
        assert app.table.scroll_offset.y > 0


def widths(width: int) -> list[tuple[str, int]]:
    """Return which of three columns fit, and how wide."""
    columns: list[Column[int]] = [
        Column(title="A", width=10, grow=2, show=lambda row, now: Cell("")),
        Column(title="B", width=5, drop=1, show=lambda row, now: Cell("")),
        Column(title="C", width=5, drop=2, grow=1, show=lambda row, now: Cell("")),
    ]
    return [(column.title, size) for column, size in lay_out(columns, width)]


def test_columns_share_what_is_left() -> None:
    assert widths(22) == [("A", 10), ("B", 5), ("C", 5)]
    assert widths(52) == [("A", 30), ("B", 5), ("C", 15)]


def test_columns_go_in_their_order_when_it_is_narrow() -> None:
    assert widths(21) == [("A", 15), ("B", 5)]
    assert widths(12) == [("A", 12)]
    assert widths(4) == [("A", 4)]


@pytest.mark.parametrize("width", range(1, 80))
def test_columns_fill_the_width_exactly(width: int) -> None:
    laid = widths(width)
    assert sum(size for _, size in laid) + len(laid) - 1 == width


HARD = (
    "plain",
    "👩‍👩‍👧‍👦 family",
    "👍🏽 skin",
    "❤️ heart",
    "1️⃣ keycap",
    "🏳️‍🌈 flag",
    "🇩🇪 letters",
    "漢字のファイル名で列が崩れる",
    "e\u0301\u0302 accents",
    "مرحبا",
    "👩‍👩‍👧‍👦" * 12,
    "漢" * 30,
)
"""Texts whose width in cells terminals and programs see differently."""


@pytest.mark.parametrize("width", [20, 21, 33, 80])
async def test_columns_stay_below_each_other_whatever_is_in_them(width: int) -> None:
    columns: tuple[Column[str], ...] = (
        Column(title="TEXT", width=6, grow=1, show=lambda row, now: Cell(row)),
        Column(title="|", width=1, show=lambda row, now: Cell("|")),
    )

    class Showing(App[None]):
        def compose(self) -> ComposeResult:
            yield VirtualTable(ListSource[str](HARD, lambda row: row), columns, ManualClock())

    app = Showing()
    async with app.run_test(size=(width, len(HARD) + 1)) as pilot:
        table: VirtualTable[str] = app.query_one(VirtualTable)
        table.reload()
        await pilot.pause()
        room = table.scrollable_content_region.width
        lines = [table.render_line(y) for y in range(len(HARD) + 1)]
        assert {line.cell_length for line in lines} == {room}
        edge = lines[0].text.index("|")
        assert [line.crop(edge, edge + 1).text for line in lines] == ["|"] * len(lines)
        # What glues emoji together is left out: no two programs agree on the width of the result.
        assert not set("\u200d\ufe0f🏽") & set("".join(line.text for line in lines))


def test_no_column_is_squeezed_out_of_shape_in_a_small_split() -> None:
    squeezed = []
    for found in pkgutil.iter_modules(rivus_tui.screens.__path__):
        module = importlib.import_module(f"rivus_tui.screens.{found.name}")
        for name, columns in vars(module).items():
            if isinstance(columns, tuple) and columns and isinstance(columns[0], Column):
                laid = lay_out(columns, 40 - 3)  # the gutter, and a gap at the end
                squeezed += [(found.name, name, column.title) for column, width in laid if width < column.width]
    assert squeezed == []
