"""Small pure parts: times, counts, outputs, filters, pace, editors, and what a session remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from engine.contracts.commands import CommandOutcome
from engine.contracts.filter import Term
from engine.contracts.view import ItemQuery
from rivus_tui import format as words
from rivus_tui.clipboard import tools
from rivus_tui.editor import EditorProblem, editor_command, file_within
from rivus_tui.filters import (
    job_of,
    known_values,
    narrowed,
    next_scope,
    suggestions,
    trouble,
    with_job,
    without_job,
)
from rivus_tui.format import Cell
from rivus_tui.outputs import output_lines, value_lines
from rivus_tui.pace import BUSY_S, IDLE_S, Pace
from rivus_tui.screens.item_room import next_priority
from rivus_tui.session import Session
from rivus_tui.states import job_state
from rivus_tui.why import why_job
from tests.tui.rows import HOUR, MINUTE, NOW, job, sample, stage


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(-5, "0ms"), (80, "80ms"), (4_100, "4.1s"), (42_000, "42s"), (130_000, "2m10"), (HOUR, "1h00"), (50 * HOUR, "2d")],
)  # fmt: skip
def test_duration_is_short(ms: int, shown: str) -> None:
    assert words.duration(ms) == shown


@pytest.mark.parametrize("number", [0, 7, 9_999, 10_000, 999_949, 1_234_567, 99_000_000])
def test_count_fits_six_cells(number: int) -> None:
    assert len(words.count(number)) <= 6


def test_age_and_until_are_words() -> None:
    assert words.age(NOW, None) == "-"
    assert words.age(NOW, NOW - 4_200) == "4s"
    assert words.age(NOW, NOW + 5_000) == "0s"
    assert words.age(NOW, NOW - 12 * MINUTE) == "12m"
    assert words.until(NOW, NOW + 4 * MINUTE) == "in 4m"
    assert words.until(NOW, NOW - 1) == "now"


def test_moment_names_the_day_when_it_is_not_today() -> None:
    assert words.moment(NOW, NOW) == "14:07:12"
    assert words.moment(NOW - 24 * HOUR, NOW) == "Dec 31 14:07"


def test_morning_after_is_nine_local_time() -> None:
    assert words.moment(words.morning_after(NOW, 1), NOW) == "Jan 02 09:00"


@pytest.mark.parametrize("text", ["short", "exactly ten", "漢字のファイル名", "e\u0301 mixed 漢字", ""])
@pytest.mark.parametrize("width", [1, 2, 3, 7, 10, 40])
def test_fit_is_exact(text: str, width: int) -> None:
    assert cell_len(words.fit(text, width)) == width
    assert cell_len(words.fit(text, width, "right")) == width


@pytest.mark.parametrize("width", [4, 9, 20])
def test_wrap_stays_inside(width: int) -> None:
    text = "some words and 漢字のファイル名で列が崩れる and averyveryverylongword"
    lines = words.wrap(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_hang_keeps_the_marker_in_front() -> None:
    lines = words.hang([Cell("! ", "bad"), Cell("one two three four")], 12)
    assert ["".join(part.text for part in line) for line in lines] == ["! one two", "  three four"]


def test_emoji_are_taken_apart_so_that_columns_stay() -> None:
    assert words.cell("👩\u200d🚀 👍🏽 ❤\ufe0f").text == "👩🚀 👍 ❤"
    assert words.cell("क्\u200dष").text == "क्\u200dष"


def plain(output: dict[str, Any], width: int = 40) -> list[str]:
    """Return an output as plain lines."""
    return ["".join(part.text for part in line).rstrip() for line in output_lines(output, width)]


def test_known_parts_of_an_output_are_drawn_first() -> None:
    output = {
        "words": 12,
        "summary": "Two words.",
        "facts": [["age", "9 days"], ["ok", True]],
        "snippet": {"path": "a.py", "start": 9, "here": 10, "lines": ["x", "\ty"]},
    }
    assert plain(output) == [
        "Two words.",
        "",
        "a.py:10",
        "   9 x",
        "> 10     y",
        "",
        "age 9 days",
        "ok  yes",
        "",
        "words: 12",
    ]


@pytest.mark.parametrize(
    "output",
    [
        {"facts": "not a list"},
        {"facts": [["one"], 3]},
        {"snippet": {"lines": "text", "start": "x"}},
        {"snippet": []},
        {"summary": {"deep": [1, [2, [3, [4, [5, [6, [7, [8]]]]]]]]}},
        {"": None, "a": {}, "b": []},
        {"big": "x" * 500_000},
        {"many": list(range(10_000))},
    ],
)
def test_any_other_shape_is_shown_as_it_is(output: dict[str, Any]) -> None:
    lines = output_lines(output, 40)
    assert lines
    assert len(lines) <= 2_010
    assert all(words.width_of(line) <= 40 for line in lines)


def test_nested_values_read_like_yaml() -> None:
    lines = ["".join(part.text for part in line) for line in value_lines({"a": {"b": [1, {"c": None}]}}, 40)]
    assert lines == ["a:", "  b:", "    - 1", "    -", "      c: -"]


def test_short_lists_stand_on_one_line() -> None:
    lines = ["".join(part.text for part in line) for line in value_lines({"words": ["one", 2, None]}, 40)]
    assert lines == ["words: one, 2, -"]
    many = value_lines({"terms": [["leases", number] for number in range(30)]}, 40)
    assert "".join(part.text for part in many[1]) == "  - leases, 0"


def test_filter_narrows_a_query_and_says_what_it_cannot_read() -> None:
    base = ItemQuery(scope="internal", terms=(Term(field="gate", values=("*",)),))
    query = narrowed("state:failed two", base)
    assert (query.scope, [term.field for term in query.terms]) == ("internal", ["gate", "state", "text"])
    assert trouble("a stat:failed") == "at 3: stat: is not known, did you mean state: ?"
    assert trouble("a http://x") == ""


def test_what_could_be_typed_next() -> None:
    known = known_values(sample().jobs)
    assert [one.label for one in suggestions("", known)][:3] == ["job:", "state:", "stage:"]
    assert [one.label for one in suggestions("x s", known)] == ["state:", "stage:", "source:", "sure:"]
    assert [one.text for one in suggestions("x !job:do", known)] == ["x !job:doc-health ", "x !job:docs "]
    assert [one.text for one in suggestions("state:failed,wa", known)] == ["state:failed,waiting "]
    assert [one.label for one in suggestions("age:", known)] == [">2h", ">1d", "<10m"]
    assert suggestions("word", known) == []
    assert suggestions("nothing:x", known) == []


def test_job_of_a_filter_is_replaced_and_taken_out() -> None:
    assert with_job("state:failed job:a x", "b") == "job:b state:failed x"
    assert without_job("job:a x") == "x"
    assert job_of("x job:a") == "a"
    assert job_of("job:") is None


def test_scopes_go_round() -> None:
    assert [next_scope("external"), next_scope("internal"), next_scope("all")] == ["internal", "all", "external"]


def test_pace_is_quick_for_a_person_and_calm_otherwise() -> None:
    pace = Pace(key_at=100.0)
    assert pace.wait_s(100.0) == 0
    pace.refreshed_at = 100.0
    assert pace.wait_s(100.0) == BUSY_S
    assert pace.wait_s(100.0 + BUSY_S) == 0
    pace.refreshed_at = 200.0
    assert pace.wait_s(200.0) == IDLE_S
    pace.key_at = 200.0
    pace.focused = False
    assert pace.wait_s(200.0) == IDLE_S
    pace.focused, pace.cost_s = True, 0.15
    assert pace.wait_s(200.0) == 1.5
    pace.cost_s = 0.5
    assert pace.wait_s(200.0) == 2.0


def test_priority_ladder_has_two_ends() -> None:
    up = [next_priority(at, -1) for at in (None, 3, 2, 1, 0)]
    down = [next_priority(at, 1) for at in (0, 1, 2, 3, None)]
    assert up == [3, 2, 1, 0, 0]
    assert down == [1, 2, 3, None, None]


@pytest.mark.parametrize(
    ("editor", "line", "command"),
    [
        ("vim", 12, ["vim", "+12", "/p/a.md"]),
        ("/usr/bin/nano -w", 12, ["/usr/bin/nano", "-w", "+12", "/p/a.md"]),
        ("code", 12, ["code", "--wait", "--goto", "/p/a.md:12"]),
        ("hx", 12, ["hx", "/p/a.md:12"]),
        ("unknown", 12, ["unknown", "/p/a.md"]),
        ("vim", None, ["vim", "/p/a.md"]),
    ],
)
def test_editor_gets_the_line_as_it_takes_it(editor: str, line: int | None, command: list[str]) -> None:
    assert editor_command({"EDITOR": editor}, Path("/p/a.md"), line) == command


def test_editor_that_cannot_be_read_is_said() -> None:
    with pytest.raises(EditorProblem, match="cannot be read"):
        editor_command({"EDITOR": "vim '"}, Path("/p/a.md"), 1)


def test_visual_goes_before_editor() -> None:
    assert editor_command({"VISUAL": "a", "EDITOR": "b"}, Path("/x"), None) == ["a", "/x"]


def test_file_outside_the_project_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret").write_text("x")
    (project / "link").symlink_to(tmp_path / "secret")
    for path in ("../secret", str(tmp_path / "secret"), "link"):
        with pytest.raises(EditorProblem, match="outside"):
            file_within(project, path)
    with pytest.raises(EditorProblem, match="not there"):
        file_within(project, "gone.md")


def test_clipboard_prefers_the_desktop_then_tmux() -> None:
    names = [command[0] for _, command in tools({"WAYLAND_DISPLAY": "w", "DISPLAY": ":0", "TMUX": "x"}, "linux")]
    assert names == ["wl-copy", "xclip", "tmux"]
    assert [command[0] for _, command in tools({}, "darwin")] == ["pbcopy"]
    assert tools({}, "linux") == []


def test_session_forgets_what_was_undone() -> None:
    session = Session()
    for number, name in enumerate(("accept", "prioritise", "drop"), start=1):
        outcome = CommandOutcome(ok=True, message=f"{name}!", changed=("a", "b"), operation=number)
        session.record(name, "todos", outcome, NOW)
    assert session.triaged == 4
    assert session.last is not None
    assert session.last.operation == 3
    session.forget(session.last)
    assert session.triaged == 2
    assert session.last_decision is not None
    assert session.last_decision.name == "accept"
    assert session.summary() == "2 accepted, 2 prioritised"


def test_ready_job_without_engine_says_that_none_runs() -> None:
    view = job("docs", stage("read", 0, {"ready": 3}))
    assert job_state(view).text == "o ready"
    reasons = ["".join(part.text for part in line) for line in why_job(view, NOW, has_engine=False)]
    assert reasons == ["! no engine runs here"]


def test_idle_job_says_when_it_looks_again() -> None:
    reasons = ["".join(part.text for part in line) for line in why_job(job("docs"), NOW, has_engine=True)]
    assert reasons == ["o nothing to do: every item is settled; looks for more in 2m"]
