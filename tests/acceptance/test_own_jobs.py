"""A jobs.yaml with its own handlers: every way an item can end, and what a person does about it."""

from __future__ import annotations

from tests.acceptance.command_line import Rivus


def test_each_item_ends_as_its_handler_said(letters: Rivus) -> None:
    report = letters("run", "letters", "--once", "--json", code=1).object
    counts = {name: report[name] for name in ("found", "done", "failed", "later", "waiting", "skipped")}
    assert counts == {"found": 6, "done": 2, "failed": 2, "later": 1, "waiting": 1, "skipped": 0}
    assert report["cost"] == 0.5
    items = letters.items()
    assert {title: item["why"] for title, item in items.items() if item["why"]} == {
        "Ask": "Left or right?",
        "Crash": "ValueError: no such drawer",
        "Fail": "it is torn",
        "Later": "the post is closed",
    }
    assert items["Later"]["due_at"] > items["Later"]["updated_at"]


def test_failed_attempt_keeps_its_evidence(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    shown = letters("items", "show", "letters", "crash", "--json").object
    (attempt,) = shown["failed_attempts"]
    assert (attempt["stage"], attempt["error_type"], attempt["message"]) == ("sort", "ValueError", "no such drawer")
    assert "mine.py" in attempt["traceback"]
    assert [stage["state"] for stage in shown["stages"]] == ["done", "failed"]
    assert "no such drawer" in letters("items", "show", "letters", "crash").out


def test_retry_runs_only_what_failed(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    letters.write({"mended": ""})
    assert letters("items", "retry", "letters", "fail", "--json").object["changed"] == ["fail"]
    assert letters("run", "letters", "--once", "--json", code=1).object["failed"] == 1
    assert letters.items()["Fail"]["state"] == "done"


def test_answer_lets_the_item_go_on(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    assert letters("items", "answer", "letters", "ask", "--answer", "left").code == 0
    letters("run", "letters", "--once", code=1)
    assert letters.items()["Ask"]["state"] == "done"


def test_cancelling_needs_a_yes_where_nobody_can_be_asked(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    letters("items", "cancel", "letters", "later", code=2).refused(2, "--yes")
    assert letters.items()["Later"]["state"] == "pending"
    letters("items", "cancel", "letters", "later", "--yes")
    assert letters.items()["Later"]["state"] == "skipped"


def test_all_that_a_filter_finds_are_changed_and_taken_back_at_once(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    before = {title: item["state"] for title, item in letters.items().items()}
    letters("items", "retry", "--where", "state:failed", code=2).refused(2, "--yes")
    letters("items", "retry", "--where", "state:failed age:soon", "--yes", code=2).refused(2, "age")
    letters("items", "retry", code=2).refused(2, "--where FILTER")
    done = letters("items", "retry", "letters", "--where", "state:failed,done", "--yes", "--json")
    assert done.object["data"] == {"total": 4, "changed": 2}
    assert "retry: 2 of 4 items: 2 of letters." in done.err
    assert "Left alone: 2, no stage of it failed." in done.err
    assert "at most $0.50" in done.err
    assert {letters.items()[title]["state"] for title in ("Crash", "Fail")} == {"pending"}
    assert letters("undo").out == "undid retry of 2 items\n"
    assert {title: item["state"] for title, item in letters.items().items()} == before
    assert letters("redo").out.startswith("will retry 2 items")
    assert {letters.items()[title]["state"] for title in ("Crash", "Fail")} == {"pending"}
    assert letters("items", "drop", "--where", "state:gone", "--yes", code=1).out == ""


def test_priority_stays_what_a_person_said(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    letters("items", "prioritise", "letters", "ask", "--priority", "0")
    letters("run", "letters", "--once", code=1)
    assert letters.items()["Ask"]["priority"] == 0
    letters("items", "prioritise", "letters", "ask", "--priority", "none")
    assert letters.items()["Ask"]["priority"] is None


def test_paused_job_runs_nothing_until_it_is_resumed(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    letters.write({"mended": ""})
    letters("jobs", "pause", "letters", "--why", "holiday")
    letters("items", "retry", "letters", "fail")
    letters("run", "letters", "--once", code=1)
    assert letters.items()["Fail"]["state"] == "pending"
    (job, _) = letters("jobs", "list", "--json").objects
    assert (job["state"], job["why"]) == ("paused", "holiday")
    letters("jobs", "resume", "letters")
    letters("run", "letters", "--once", code=1)
    assert letters.items()["Fail"]["state"] == "done"


def test_finding_becomes_an_item_and_goes_when_it_is_mended(letters: Rivus) -> None:
    letters.write({"finding": ""})
    assert letters("check", "run", "--json").objects[0]["found"] == 1
    (found,) = letters("items", "list", "--json").objects
    assert (found["title"], found["job"], found["source"], found["state"]) == ("Found", "letters", "watch", "pending")
    (letters.root / "finding").unlink()
    letters("check", "run", "watch")
    shown = letters("items", "show", "letters", "watch:1", "--json").object
    assert shown["state"] == "done"
    assert {stage["why"] for stage in shown["stages"]} == {"fixed: the check does not find it any more"}


def test_unknown_names_are_answered_with_those_that_are_there(letters: Rivus) -> None:
    letters("run", "leters", "--once", code=None).refused(2, "leters", "letters, watch")
    letters("check", "run", "letters", code=None).refused(2, "there are: watch")
    letters("run", "letters", "--once", code=1)
    letters("items", "list", "leters", code=None).refused(2, "letters, watch")
    letters("items", "show", "letters", "x", code=None).refused(2, "rivus items list letters")
    letters("items", "retry", "letters", "x", code=None).refused(1, "no item with this key")
    letters("items", "snooze", "letters", "ask", "--until", "soon", code=None).refused(2, "2h, 3d")


def test_done_item_runs_again_from_a_stage_and_comes_back(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    key = next(item["key"] for item in letters.items().values() if item["state"] == "done")
    stages = letters("items", "show", "letters", key, "--json").object["stages"]
    last = stages[-1]["stage"]
    letters("items", "again", "letters", key, "--from", last, code=2).refused(2, "--yes")
    letters("items", "again", "letters", key, "--from", "nowhere", "--yes", code=2).refused(2, last)
    letters("items", "again", "letters", key, "--from", last, "--yes")
    now = letters("items", "show", "letters", key, "--json").object["stages"]
    assert [stage["state"] for stage in now] == ["done"] * (len(now) - 1) + ["ready"]
    letters("undo")
    assert letters("items", "show", "letters", key, "--json").object["stages"] == stages
    letters("items", "again", "--where", "state:done", "--from", last, code=2).refused(2, "--yes")
    letters("items", "again", "--where", "state:done", code=2).refused(2, "--from")
    letters("items", "again", "--where", "state:done", "--from", last, "--yes")
    assert not [item for item in letters.items().values() if item["state"] == "done"]
    letters("undo")
    assert letters("items", "show", "letters", key, "--json").object["stages"] == stages


def test_code_is_looked_at_as_it_is_on_disk_where_no_engine_runs(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    assert letters("stale").out.strip() == "nothing is stale"
    mine = letters.root / "mine.py"
    mine.write_text(mine.read_text().replace('{"text": ctx.item.title}', '{"text": ctx.item.title.upper()}'))
    (change,) = letters("stale", "--json").objects
    assert (change["job"], change["stage"], change["results"], change["verdict"]) == ("letters", "read", 2, "semantic")
    mine.write_text(mine.read_text().replace(".upper()", ".lower()"))
    letters("bless", "letters", "read", "--why", "only the case")
    assert "only the case" in letters("stale").out
