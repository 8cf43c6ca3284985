"""What a list shows, in a file and on the clipboard: exactly the view, and nothing that a reader would run."""

from __future__ import annotations

import csv
import json
import os
import stat
from glob import glob
from pathlib import Path

import pytest

from rivus_tui import export
from rivus_tui.columns import Column
from rivus_tui.files import free_name, write
from rivus_tui.format import Cell
from tests.tui.rows import NOW, item
from tests.tui.story import open_room

COLUMNS: tuple[Column[str], ...] = (Column(title="NAME", width=5, show=lambda row, now: Cell(row)),)
EVIL = ("=1+1", "@SUM(A1)", "-2", "a,b", 'say "x"', "x|y", "[l](http://e)", "\x1b[31mred", "two\nlines")


def test_spreadsheet_runs_nothing() -> None:
    rows = [*csv.reader(export.lines("csv", "said", COLUMNS, EVIL, NOW))]
    assert rows[:2] == [["# said"], ["NAME"]]
    assert len(rows) == 2 + len(EVIL)
    assert not [row for row in rows[2:] if row[0].startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("form", ["csv", "jsonl", "md"])
def test_no_control_character_reaches_a_file(form: str) -> None:
    for line in export.lines(form, "said", COLUMNS, EVIL, NOW):
        assert not [sign for sign in line.rstrip("\n") if ord(sign) < 0x20]


def test_row_as_json_is_one_line_with_everything() -> None:
    told = json.loads(export.as_json(item(1, "a \x1b title", data={"x": [1, {"y": None}]})))
    assert (told["title"], told["data"], told["job"]) == ("a \x1b title", {"x": [1, {"y": None}]}, "todos")


async def test_export_writes_exactly_the_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_room(None, "2", "slash", *"state:failed", "enter", "E") as story:
        story.clock.advance(1)
        await story.press("2")
        assert "1 row written to" in story.toasts[-1]
    (path,) = map(Path, glob(f"{tmp_path}/*"))
    said, told = path.read_text().splitlines()
    assert "filter: state:failed" in json.loads(said)["view"]
    assert json.loads(told)["key"] == "docs/guide/install.md"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_export_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    async with open_room(None, "2", "E") as story:
        os.rmdir(gone)
        story.clock.advance(1)
        await story.press("1")
        assert story.toasts[-1].startswith("not written")


async def test_copy_as_offers_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    async with open_room(None, "2", "slash", *"install", "enter", "Y") as story:
        assert "the command line that shows it" in story.text()
        story.clock.advance(1)
        await story.press("5")
        assert story.app.clipboard == "rivus items show docs docs/guide/install.md"


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    def lines() -> object:
        yield "one"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write(tmp_path / "x", lines())  # type: ignore[arg-type]
    assert [*tmp_path.iterdir()] == []
    first = free_name(tmp_path, "rivus", "csv", NOW)
    write(first, ["x"])
    assert free_name(tmp_path, "rivus", "csv", NOW) != first
