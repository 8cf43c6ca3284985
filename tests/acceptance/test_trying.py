"""Before a job is let loose: discover only, start a few items, try one stage, and see what would run."""

from __future__ import annotations

from tests.acceptance.command_line import Rivus
from tests.acceptance.conftest import MINE


def test_discovering_only_runs_no_stage(letters: Rivus) -> None:
    report = letters("run", "letters", "--once", "--discover-only", "--json").object

    assert (report["found"], report["new"], report["done"], report["rate"]) == (6, 6, 0, 0.0)
    assert {item["state"] for item in letters.items().values()} == {"pending"}


def test_a_limit_starts_so_many_items_and_leaves_the_others_ready(letters: Rivus) -> None:
    letters("run", "letters", "--once", "--limit", "2", code=None)
    states = [item["stage_state"] for item in letters.items().values() if item["stage"] == "read"]

    assert states.count("ready") == 4


def test_the_plan_names_what_is_ready_in_the_order_of_the_queue(letters: Rivus) -> None:
    letters("run", "letters", "--once", "--discover-only")
    letters("items", "prioritise", "letters", "skip", "--priority", "0")
    coming = letters("plan", "--limit", "3", "--json").objects

    assert [one["key"] for one in coming] == ["skip", "ask", "crash"]
    assert all(one["stage"] == "read" and one["holds"] == [] for one in coming)
    letters("jobs", "pause", "letters", "--why", "not today")
    assert "not today" in letters("plan", "letters").out


def test_a_dry_run_shows_the_outcome_and_stores_nothing(letters: Rivus) -> None:
    letters("run", "letters", "--once", "--discover-only")
    told = letters("run", "letters", "--dry-run", "--stage", "read", "--item", "fine", "--json").object

    outcome = told["outcome"]
    assert (outcome["kind"], outcome["output"], outcome["cost"]) == ("done", {"text": "Fine"}, 0)
    assert outcome["artifacts"] == outcome["emit"] == []
    assert letters.items()["Fine"]["stage_state"] == "ready"


def test_a_dry_run_that_raises_shows_where(letters: Rivus) -> None:
    letters("run", "letters", "--once", "--discover-only")
    ran = letters("run", "letters", "--dry-run", "--stage", "sort", "--item", "crash", code=1)

    assert "mine.py" in ran.err
    assert "no such drawer" in ran.err


def test_a_dry_run_says_what_it_lacks(letters: Rivus) -> None:
    letters("run", "letters", "--dry-run", code=2).refused(2, "--item")
    letters("run", "letters", "--dry-run", "--item", "fine", code=2).refused(2, "--stage", "read, sort")
    letters("run", "letters", "--dry-run", "--stage", "read", "--item", "nobody", code=2).refused(2, "nobody")


def test_a_dry_run_sees_the_results_before_its_stage_and_no_others(letters: Rivus) -> None:
    told = "    return {'seen': sorted(ctx.upstream)}\n"
    stages = "".join(
        f"      - {name}: {{handler: chain.{name}{after}}}\n"
        for name, after in (("first", ""), ("left", ", after: [first]"), ("right", ", after: [first]"), ("last", ""))
    )
    source = "".join(f"async def {name}(ctx):\n{told}\n\n" for name in ("first", "left", "right", "last"))
    discover = (
        "from engine.contracts.item import Candidate\n\n\n"
        "async def discover(ctx):\n    yield Candidate(key='x', title='X')\n"
    )
    jobs = f"jobs:\n  chain:\n    discovery: {{use: chain.discover}}\n    stages:\n{stages}"
    letters.write({"jobs.yaml": jobs, "chain.py": f"{discover}\n\n{source}"})
    letters("run", "chain", "--once")

    def seen(stage: str) -> list[str]:
        told = letters("run", "chain", "--dry-run", "--stage", stage, "--item", "x", "--json").object
        return list(told["outcome"]["output"]["seen"])

    assert [seen(stage) for stage in ("first", "left", "right")] == [[], ["first"], ["first"]]
    assert seen("last") == ["first", "right"]


def test_what_a_module_wants_to_do_at_the_end_is_done(letters: Rivus) -> None:
    letters.write({"mine.py": MINE + "\n\nimport atexit\natexit.register(lambda: print('the end'))\n"})
    for _ in range(3):
        assert letters("run", "letters", "--once", code=1).out.endswith("the end\n")
