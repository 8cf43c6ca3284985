"""Where something failed, and where in jobs.yaml something stands."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine.work
from rivus_tui.format import Cell, hang
from rivus_tui.traces import failed_at, line_of, trace_lines

WORK = Path(engine.work.__file__).parent
TRACE = f"""\
Traceback (most recent call last):
  File "{WORK}/attempts.py", line 238, in _attempt
    begun = line.begin(self._handlers(claim.stage.spec.handler)(context))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/home/me/shop/papers.py", line 12, in summary
    return words(text)
  File "/home/me/shop/lib/words.py", line 3, in words
    raise KeyError("section")
KeyError: 'section'
"""
CONFIG = """\
version: 1
settings: {daily_cost: 5 USD}
resources:
  papers: 2
jobs:
  # papers: was here
  letters:
    stages:
      - stamp: {handler: letters.stamp}
  "papers":
    guards:
      daily_cost: 2 USD
"""


def drawn(text: str, most: int | None = None) -> list[str]:
    return ["".join(part.text for part in row).strip() for row in trace_lines(text, 100, most)]


def test_frames_of_the_engine_are_left_out() -> None:
    rows = drawn(TRACE)
    assert not any("attempts.py" in row or "begun" in row or "^^^" in row for row in rows)
    assert rows[0].startswith("Traceback")
    assert rows[1:3] == ['File "/home/me/shop/papers.py", line 12, in summary', "return words(text)"]
    assert rows[-1] == "KeyError: 'section'"


def test_what_went_wrong_in_the_engine_itself_is_shown_whole() -> None:
    only = "\n".join([*TRACE.splitlines()[:4], "ValueError: x"])
    assert any("attempts.py" in row for row in drawn(only))


def test_the_deepest_frame_of_the_project_is_where_it_failed() -> None:
    assert failed_at(TRACE, Path("/home/me/shop")) == ("lib/words.py", 3)
    assert failed_at(TRACE, Path("/home/me/other")) is None


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (("jobs", "letters"), 7),
        (("jobs", "papers"), 10),
        (("jobs", "papers", "daily_cost"), 12),
        (("jobs", "gone"), 5),
        (("settings", "daily_cost"), 2),
        (("nothing",), None),
    ],
)
def test_keys_of_a_configuration_are_found_where_they_stand(names: tuple[str, ...], line: int | None) -> None:
    assert line_of(CONFIG, *names) == line


def test_a_hint_stays_whole_and_apart_from_the_text_that_it_follows() -> None:
    cells = (Cell("= "), Cell("paused: it failed too often"), Cell("   p resumes"))
    assert ["".join(part.text for part in row) for row in hang(cells, 24)] == [
        "= paused: it failed too",
        "  often   p resumes",
    ]
    assert ["".join(part.text for part in row) for row in hang(cells, 32)][-1] == "  p resumes"


def test_a_line_number_that_nobody_can_have_is_none() -> None:
    assert failed_at(f'  File "/p/x.py", line {"9" * 5_000}, in f', Path("/p")) is None
