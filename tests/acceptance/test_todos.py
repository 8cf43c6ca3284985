"""The built-in jobs on a folder with a TODO file, in git and without."""

from __future__ import annotations

from tests.acceptance.command_line import Rivus
from tests.acceptance.conftest import OPEN, TODO

REPORT = "job found new done failed later waiting skipped gone seconds rate cost"
ITEM = (
    "key job state stage stage_state priority title path line headings confidence origin source attempts why "
    "created_at updated_at due_at data"
)


def keys(todos: Rivus) -> list[str]:
    return [item["key"] for item in todos("todo", "list", "--json").objects]


def test_run_once_reports_what_it_found_and_leaves_it_to_a_person(anywhere: Rivus) -> None:
    report = anywhere("run", "todos", "--once", "--json").object
    assert " ".join(report) == REPORT
    assert (report["job"], report["found"], report["new"], report["waiting"]) == ("todos", 3, 3, 3)
    assert (report["done"], report["failed"], report["cost"]) == (0, 0, 0.0)
    assert report["seconds"] > 0
    assert report["rate"] > 0


def test_run_once_for_people_is_one_line(todos: Rivus) -> None:
    ran = todos("run", "todos", "--once")
    assert ran.out.startswith("todos: found 3, 3 new; 3 waiting; 3 stages in ")
    assert ran.out.count("\n") == 1
    assert ran.err == ""


def test_second_run_finds_the_same_items(todos: Rivus) -> None:
    todos("run", "todos", "--once")
    before = todos.items("todos")
    todos.write({"TODO.md": TODO.replace("# To do", "# To do\n\nSome words.\n")})
    report = todos("run", "todos", "--once", "--json").object
    assert (report["found"], report["new"], report["gone"]) == (3, 0, 0)
    after = todos.items("todos")
    assert {title: item["key"] for title, item in after.items()} == {title: i["key"] for title, i in before.items()}
    assert after[OPEN[0]]["line"] == before[OPEN[0]]["line"] + 3


def test_items_carry_their_place_and_what_they_wait_for(anywhere: Rivus) -> None:
    anywhere("run", "todos", "--once")
    listed = anywhere("todo", "list", "--json").objects
    assert [" ".join(item) for item in listed] == [ITEM] * 3
    assert [item["title"] for item in listed] == list(OPEN)
    assert [item["line"] for item in listed] == [3, 5, 9]
    assert [item["priority"] for item in listed] == [None, 1, None]
    assert listed[2]["headings"] == ["To do", "Later"]
    assert {(item["state"], item["stage"], item["path"]) for item in listed} == {("waiting", "brief", "TODO.md")}


def test_listing_for_people_has_a_head_and_a_row_an_item(todos: Rivus) -> None:
    todos("run", "todos", "--once")
    ran = todos("items", "list", "todos")
    assert ran.out.splitlines()[0].split() == ["KEY", "JOB", "STATE", "PRI", "PLACE", "TITLE"]
    assert [line.split("TODO.md:")[1][0] for line in ran.out.splitlines()[1:]] == ["3", "5", "9"]
    assert ran.err == "3 items\n"
    assert todos("items", "list", "--text", "guide", "--limit", "1").err == "1 of 2\n"


def test_scan_shows_every_box_and_stores_nothing(anywhere: Rivus) -> None:
    rows = anywhere("todo", "scan", "--json").objects
    assert [(row["line"], row["state"], row["text"]) for row in rows] == [
        (3, "open", "Write the guide"),
        (4, "done", "Draw the logo"),
        (5, "open", "Measure the start [P1]"),
        (9, "open", "Translate the guide"),
    ]
    assert not anywhere.state.exists()
    assert "TODO.md:9" in anywhere("todo", "scan", "TODO.md").out


def test_accepted_item_is_done(todos: Rivus) -> None:
    todos("run", "todos", "--once")
    first, *_ = keys(todos)
    outcome = todos("todo", "accept", first, "--json").object
    assert outcome["ok"] is True
    assert outcome["changed"] == [first]
    assert todos("run", "todos", "--once", "--json").object["done"] == 1
    shown = todos("items", "show", "todos", first, "--json").object
    assert shown["state"] == "done"
    assert [stage["state"] for stage in shown["stages"]] == ["done", "done"]
    assert shown["stages"][1]["output"]


def test_undo_takes_the_newest_decision_back(todos: Rivus) -> None:
    todos("run", "todos", "--once")
    first, second, third = keys(todos)
    assert todos("todo", "accept", first).out == "accepted 1 item\n"
    todos("todo", "drop", second, "--why", "no time")
    todos("todo", "snooze", third, "--until", "3d")
    assert [item["state"] for item in todos("todo", "list", "--json").objects] == ["pending", "dropped", "snoozed"]
    assert todos("undo", "--json").object["ok"] is True
    todos("undo")
    todos("undo")
    assert [item["state"] for item in todos("todo", "list", "--json").objects] == ["waiting"] * 3
    ran = todos("undo", code=1)
    assert "nothing" in ran.err


def test_ticked_box_ends_its_item_and_a_lost_line_goes_after_three_scans(todos: Rivus) -> None:
    todos("run", "todos", "--once")
    ticked = TODO.replace("[ ] Write the guide", "[x] Write the guide").replace("- [ ] Translate the guide\n", "")
    todos.write({"TODO.md": ticked})
    reports = [todos("run", "todos", "--once", "--json").object for _ in range(3)]
    assert [report["gone"] for report in reports] == [0, 0, 1]
    items = todos.items("todos")
    assert items[OPEN[0]]["state"] == "done"
    shown = todos("items", "show", "todos", items[OPEN[0]]["key"], "--json").object
    assert shown["stages"][1]["why"] == "ticked off in TODO.md"
    assert items[OPEN[2]]["state"] == "gone"


def test_match_says_which_line_became_which(todos: Rivus) -> None:
    todos.write({"new.md": TODO.replace("# To do\n", "# To do\n\n- [ ] Buy paper\n")})
    told = todos("todo", "match", "TODO.md", "new.md", "--json").object
    assert {(pair["old_line"], pair["new_line"]) for pair in told["matches"]} >= {(3, 5), (5, 7), (9, 11)}
    assert (len(told["new"]), told["gone"]) == (1, [])
    assert todos("todo", "match", "TODO.md", "new.md").out.endswith(" kept, 1 new, 0 gone\n")


def test_documents_go_through_worker_processes(anywhere: Rivus) -> None:
    report = anywhere("run", "docs", "--once", "--json").object
    assert (report["found"], report["done"], report["failed"]) == (1, 1, 0)
