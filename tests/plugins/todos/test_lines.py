from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.judge import todo_scan
from plugins.todos.lines import scan_text
from plugins.todos.texts import items_of


def states(text: str) -> list[tuple[int, str, str]]:
    return [(item.line, item.state, item.text) for item in scan_text(text)]


@pytest.mark.parametrize(
    ("box", "state"),
    [
        ("[ ]", "open"),
        ("[]", "open"),
        ("[x]", "done"),
        ("[X]", "done"),
        ("[ x ]", "done"),
        ("[✅]", "done"),
        ("[/]", "partial"),
        ("[-]", "partial"),
        ("[~]", "partial"),
        ("[?]", "open"),
        ("[>]", "paused"),
        ("\\[ \\]", "open"),
    ],
)
def test_box_decides_the_state(box: str, state: str) -> None:
    (item,) = scan_text(f"- {box} Water the plants")
    assert (item.state, item.text, item.kind, item.confidence) == (state, "Water the plants", "checkbox", "high")


@pytest.mark.parametrize(
    ("line", "state", "text"),
    [
        ("- Fix the pump ✅", "done", "Fix the pump"),
        ("- ✔️ Fix the pump", "done", "Fix the pump"),
        ("- 🚧 Fix the pump", "partial", "Fix the pump"),
        ("- Fix the pump ⏸", "paused", "Fix the pump"),
        ("- :heavy_check_mark: Fix the pump", "done", "Fix the pump"),
        ("- Fix the pump :x:", "dropped", "Fix the pump"),
        ("- ❌ Fix the pump", "dropped", "Fix the pump"),
        ("- ~~Fix the pump~~", "dropped", "Fix the pump"),
        ("- [ ] ~~Fix the pump~~", "dropped", "Fix the pump"),
        ("- ~~Fix the pump~~ ✅ closed in May", "done", "Fix the pump"),
        ("- [ ] 🚧 Fix the pump", "partial", "Fix the pump"),
        ("- [ ] Fix the pump ✅", "open", "Fix the pump"),
        ("- [x] ~~Fix the pump~~", "done", "Fix the pump"),
        ("- [DONE] Fix the pump", "done", "Fix the pump"),
        ("- TODO: Fix the pump", "open", "Fix the pump"),
        ("- **Fix** the `pump`", "open", "Fix the `pump`"),
    ],
)
def test_mark_decides_the_state_and_is_taken_off(line: str, state: str, text: str) -> None:
    assert states(line) == [(1, state, text)]


def test_box_where_a_bullet_was_meant_is_an_item_of_its_own() -> None:
    text = "- [ ] a\n-[ ] b\n-[x] c\n  further\n\n• [ ] d\n– [ ] e\n\n> - [ ] f\n> [ ] g\n"
    open_, done = "open", "done"
    assert states(text) == [
        (1, open_, "a"), (2, open_, "b"), (3, done, "c further"), (6, open_, "d"), (7, open_, "e"), (9, open_, "f"),
        (10, open_, "g"),
    ]  # fmt: skip
    assert states("- [ ] see the\n  [x](mark) below\n") == [(1, open_, "see the [x](mark) below")]


def test_link_in_brackets_is_no_box() -> None:
    (item,) = scan_text("- [x](https://example.org) should open in a new tab")
    assert (item.kind, item.state) == ("bullet", "open")


def test_continuation_lines_belong_to_the_item() -> None:
    (item,) = scan_text("- [ ] Measure the pressure\n  once a minute\n\n  Not more often.\n\n\nThe end.\n")
    assert (item.text, item.line, item.end_line) == ("Measure the pressure once a minute", 1, 4)


def test_what_is_not_a_list_is_no_item() -> None:
    text = "```\n- [ ] example\n```\n<!--\n- [ ] hidden\n-->\n\n    - [ ] indented code\n\n> - quoted\n"
    assert states(text) == []


def test_front_matter_keeps_the_line_numbers() -> None:
    assert states("---\ntitle: x\n---\n- [ ] Sweep\n") == [(4, "open", "Sweep")]


def test_detail_below_a_box_is_no_item() -> None:
    text = "- [ ] Sweep the yard\n  - the broom is in the shed\n  - ask for the key\n  - [ ] and the gate\n"
    assert states(text) == [(1, "open", "Sweep the yard"), (4, "open", "and the gate")]


def test_group_is_no_item_but_what_it_holds() -> None:
    items = scan_text("- Kitchen\n  - Scrub the sink\n  - Oil the hinges\n")
    assert [(item.line, item.parent_line, item.confidence) for item in items] == [(2, 1, "medium"), (3, 1, "medium")]


def test_item_with_a_link_below_it_is_no_group() -> None:
    assert states("# TODO\n- Health checks\n  - https://example.org/checks\n") == [(2, "open", "Health checks")]


def test_list_outside_the_task_sections_has_to_show_that_it_is_one() -> None:
    items = scan_text("# Piano\n## Modes\n- slow play\n- quiet room\n## TODO\n- page turner\n")
    assert [(item.text, item.confidence) for item in items] == [
        ("slow play", "low"),
        ("quiet room", "low"),
        ("page turner", "medium"),
    ]


def test_sections_give_state_and_take_away_notes() -> None:
    text = (
        "# TODO\n- Buy paint\n## Done\n- Buy brushes\n## Someday\n- Build a porch\n## Notes\n- The shop closes at six\n"
    )
    assert states(text) == [(2, "open", "Buy paint"), (4, "done", "Buy brushes"), (6, "paused", "Build a porch")]


def test_open_box_below_done_is_open() -> None:
    assert states("## Done\n- [ ] Buy brushes\n") == [(2, "open", "Buy brushes")]


def test_record_fields_paths_and_links_are_no_items() -> None:
    text = "# TODO\n- Status: started\n- `src/app.py`\n- https://example.org/a\n- Paint the fence\n"
    assert states(text) == [(5, "open", "Paint the fence")]


def test_list_led_by_a_label_is_notes() -> None:
    assert states("# TODO\n\n**Files:**\n- the fence plan\n- the colour chart\n") == []


def test_legend_is_no_item() -> None:
    assert states("- [ ] open\n- [x] done\n\n# Tasks\n- [ ] Paint\n") == [(5, "open", "Paint")]


def test_heading_with_a_box_is_an_item_and_its_bullets_are_detail() -> None:
    (item,) = scan_text("# Plan\n### [ ] 1. Dig a hole\n- one metre deep\n### Tools\n")
    assert (item.kind, item.line, item.end_line, item.text) == ("heading", 2, 3, "1. Dig a hole")


def test_paragraphs_are_items_only_when_asked_for() -> None:
    text = "# TODO\n\nThe gate squeaks.\n"
    assert scan_text(text) == []
    (item,) = scan_text(text, paragraphs=True)
    assert (item.kind, item.confidence, item.text) == ("paragraph", "low", "The gate squeaks.")


def test_boxes_in_a_paragraph_are_items_line_by_line() -> None:
    assert states("-[x] Dig\n-[ ] Plant\n") == [(1, "done", "Dig"), (2, "open", "Plant")]


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("- [ ] P0 stop the leak", 0),
        ("- [ ] stop the leak (P1)", 1),
        ("- [ ] stop the leak !high", 1),
        ("- [ ] (A) stop the leak", 0),
        ("- [ ] stop the leak 🔽", 3),
        ("# High priority\n- [ ] stop the leak", 1),
        ("# Low priority\n- [ ] [P2] stop the leak", 2),
        ("- [ ] stop the leak", None),
        ("- [ ] rename `P1` to `pressure`", None),
    ],
)
def test_priority_is_only_what_the_file_says(text: str, priority: int | None) -> None:
    assert scan_text(text)[0].priority == priority


def test_bare_bullets_of_a_todo_file_are_medium() -> None:
    items = scan_text("# TODO\n- colour of the gate\n- a second bin\n")
    assert [item.confidence for item in items] == ["medium", "medium"]


def test_bare_bullets_beside_boxes_elsewhere_are_low() -> None:
    items = scan_text("# Shed\n## Tasks\n- [ ] Paint\n## Materials\n- pine boards\n- red paint\n")
    assert [item.confidence for item in items] == ["high", "low", "low"]


def test_tags_and_headings_are_kept() -> None:
    (item,) = scan_text("# House\n## Roof\n- [ ] Seal the vent #urgent @ada\n")
    assert (item.tags, item.headings) == (("#urgent", "@ada"), ("House", "Roof"))


def test_control_characters_become_visible() -> None:
    (item,) = scan_text("- [ ] wipe\x1b[2J the \u202escreen\n")
    assert "\x1b" not in item.text
    assert "\u202e" not in item.text


def test_deep_nesting_and_long_lines_end_in_time() -> None:
    deep = "".join(f"{'  ' * depth}- [ ] level\n" for depth in range(300))
    assert len(scan_text(deep)) > 50
    assert len(scan_text("- " + "**a " * 50_000)) == 1


@settings(max_examples=150)
@given(st.text(st.sampled_from("-*+ \n\t#[]xX~>`1.)(:é✅❌|_\\<!P2"), max_size=200))
def test_any_text_can_be_scanned(text: str) -> None:
    for item in scan_text(text):
        assert 1 <= item.line <= item.end_line <= text.count("\n") + text.count("\r") + 1
        assert item.text


def test_labelled_files_are_read_right() -> None:
    values = {judgement.name: judgement.right / judgement.n for judgement in todo_scan.judgements()}
    assert values["todo-scan-recall"] >= 0.93
    assert values["todo-scan-confident"] >= 0.80
    assert values["todo-scan-precision"] >= 0.95


def test_every_labelled_line_exists() -> None:
    assert all(path.suffix in (".md", ".json") for path in Path(todo_scan.FILES).iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "## Plans\n- none\n",
        "## Open\n- nothing yet\n- n/a\n",
        "## Ideen\n- keine\n",
        "### Priority guidelines\n- HIGH: critical for security\n- LOW: nice to have\n",
        "### Status indicators\n- PENDING: planned but not started\n",
        "## Tasks\n\nStrategic benefits:\n- Team work: everybody sees the plan\n",
        "## Tasks\n- Artifacts:\n  - baseline: `docs/perf/face.json`\n",
    ],
)
def test_what_is_told_and_not_asked_for_is_no_item(text: str) -> None:
    assert scan_text(text) == []


def test_what_was_changed_recently_is_done() -> None:
    (item,) = scan_text("### Recent fixes (2026-09-06)\n- Comments: added an edit button\n")
    assert item.state == "done"


def test_a_paragraph_that_says_todo_is_an_item() -> None:
    text = "# Docs\n\nTODO: Describe the parts\n      and how they meet. (Ann)\n\nThe todo: list is kept elsewhere.\n"
    (item,) = scan_text(text)
    assert (item.line, item.text, item.confidence) == (3, "Describe the parts and how they meet. (Ann)", "medium")


def test_headings_are_items_where_the_file_says_so() -> None:
    front = "---\ntodos: headings\n---\n"
    body = (
        "# Plan\n\n## Add a cache\n\nWhy.\n\n- this first\n- [ ] a box\n\n## Fix bugs\n\n## Notes\n\nLater.\n\n"
        "## Group\n\n### Write docs\n\n## Done\n\n### Old thing\n"
    )
    found = [(item.text, item.kind, item.state) for item in items_of(front + body, "TODO.md")]
    assert found == [
        ("Add a cache", "heading", "open"), ("a box", "checkbox", "open"), ("Fix bugs", "heading", "open"),
        ("Write docs", "heading", "open"), ("Old thing", "heading", "done"),
    ]  # fmt: skip
    assert "heading" not in {item.kind for item in items_of(body, "TODO.md")}
    assert [item.text for item in items_of(front + "# One\n\n# Two\n", "TODO.md")] == ["One", "Two"]
