from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from engine.contracts.spec import Rate, ResourceSpec
from engine.contracts.view import ItemQuery, Order
from engine.rules.filters import parse
from engine.store import incidents, item_lists, job_rows, limits
from engine.store.reader import Reader
from tests.factories import Ground, candidate, finished, job, stage


@pytest.fixture
def reader(ground: Ground) -> Iterator[Reader]:
    """Sees 100 items of which some are done, failed, dropped, without a path, or of equal place."""
    for number in range(100):
        place = {} if number % 7 == 0 else {"path": f"{number % 3}.md", "line": number % 5}
        ground.add(candidate(f"k{number * 37 % 100:02}", title=f"Title {number}", **place))
        ground.clock.advance(0.001 * (number % 2))
    claimed = ground.claim(n=40)
    for number, claim in enumerate(claimed):
        if number % 2:
            ground.command("drop", claim.item.key)
    made = Reader(ground.state, project="test")
    yield made
    made.close()


FILTERS = [
    "",
    "job:docs",
    "job:nowhere",
    "state:dropped",
    "state:running",
    "state:ready,dropped",
    "!state:running",
    "stage:process",
    "'title 1'",
    "%",
    "!title",
    "source:docs sure:high",
    "gate:*",
    "prio:none !prio:0",
    "age:>1d",
    "cost:<1 !cost:>0.10",
    "file:1.md",
    "!file:1.md",
    "err:boom",
    "by:scan,manual",
    "effort:small",
    ".size:1",
    "rule:accept",
    "!rule:*",
    "of:k1",
    "!of:k1",
]
QUERIES = [
    ItemQuery(scope="external"),
    ItemQuery(scope="internal"),
    ItemQuery(job="docs"),
    ItemQuery(job="nowhere"),
    *(ItemQuery(terms=parse(text).terms) for text in FILTERS),
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: str(query)[10:60])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("order", get_args(Order))
def test_pages_from_anchors_make_up_the_list(reader: Reader, query: ItemQuery, order: Any, reverse: bool) -> None:
    query = replace(query, order=order, reverse=reverse)
    whole = reader.items_page(query, None, 1_000)
    assert len(whole) == reader.items_count(query) == len({item.id for item in whole})
    for step in (1, 7, 100):
        anchors = reader.items_anchors(query, step)
        assert len(anchors) == -(-len(whole) // step)
        paged = [item for anchor in anchors for item in reader.items_page(query, anchor, step)]
        assert [item.id for item in paged] == [item.id for item in whole]


def test_status_counts_what_jobs_count(reader: Reader, ground: Ground) -> None:
    status = reader.status()
    (view,) = reader.jobs()
    assert (status.running, status.ready) == (view.count("running"), view.count("ready")) == (20, 60)
    assert sum(view.items.values()) == 100
    assert (view.items["dropped"], status.failed, status.engine) == (20, 0, None)


@pytest.mark.parametrize("query", ["jobs", "stages"])
def test_a_new_column_shifts_no_other_of_a_job(reader: Reader, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, told = reader.jobs(), getattr(job_rows._SQL, query)
    monkeypatch.setattr(job_rows._SQL, query, told.replace("SELECT ", "SELECT 'new' AS more, ", 1))
    assert reader.jobs() == before


def test_events_are_paged_both_ways(reader: Reader) -> None:
    everything = reader.events_after(0, 1_000)
    assert len(everything) == reader.events_count() == reader.events_count("docs") == 20
    assert [event.id for event in reader.events_page(None, 1_000)] == [event.id for event in everything[::-1]]
    middle = everything[10].id
    assert [event.id for event in reader.events_page(middle, 3)] == [event.id for event in everything[9:6:-1]]
    assert [event.id for event in reader.events_after(middle, 3, "docs")] == [event.id for event in everything[11:14]]
    assert everything[0].text == "dropped: won't do"


def test_change_count_tells_of_other_connections_only(reader: Reader, ground: Ground) -> None:
    first = reader.change_count()
    assert reader.change_count() == first
    ground.add("new")
    assert reader.change_count() != first


def test_anchors_of_a_long_list_are_evenly_spaced(ground: Ground) -> None:
    ground.add(*(f"k{number:05}" for number in range(5_000)))
    made = Reader(ground.state, project="test")
    anchors = made.items_anchors(ItemQuery(job="docs", order="key"), 7)
    made.close()
    assert [anchor[0] for anchor in anchors] == [f"k{number:05}" for number in range(0, 5_000, 7)]


def test_pass_that_is_given_up_between_two_statements_ends(ground: Ground) -> None:
    ground.add("a", "b", "c")
    query = ItemQuery(job="docs", order="key")
    with pytest.raises(InterruptedError):
        item_lists.anchors(ground.db, query, 1, ground.now, lambda: False)


@pytest.mark.parametrize("order", ["created", "key", "updated"])
@pytest.mark.parametrize("reverse", [False, True])
def test_anchors_are_hopped_to_where_an_index_has_the_order(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, order: Any, reverse: bool
) -> None:
    ground.add("a", "b", "c")
    monkeypatch.delattr(item_lists, "_sorted_anchors")
    query = ItemQuery(job="docs", order=order, reverse=reverse)
    assert len(item_lists.anchors(ground.db, query, 2, ground.now, lambda: True)) == 2


def keys(reader: Reader, text: str) -> set[str]:
    """Keys of the items that a filter lets through, after a look at what it says of itself."""
    found = parse(text)
    assert found.problems == ()
    query = ItemQuery(terms=found.terms)
    page = reader.items_page(query, None, 1_000)
    assert len(page) == reader.items_count(query)
    return {item.key for item in page}


@pytest.mark.parametrize("text", FILTERS[1:])
def test_a_filter_and_its_opposite_make_up_everything(reader: Reader, text: str) -> None:
    everything = keys(reader, "")
    for term in parse(text).terms:
        yes, no = (
            {item.key for item in reader.items_page(ItemQuery(terms=(replace(term, negated=negated),)), None, 1_000)}
            for negated in (False, True)
        )
        assert yes | no == everything
        assert not yes & no


def test_filter_finds_by_state_file_priority_age_and_words(reader: Reader, ground: Ground) -> None:
    assert len(keys(reader, "state:running")) == 20
    assert len(keys(reader, "state:running,dropped")) == 40
    assert keys(reader, "state:dropped title") == keys(reader, "state:dropped")
    assert keys(reader, '"title 99"') == {"k63"}
    assert keys(reader, "k63,k99") == {"k63", "k99"}
    assert keys(reader, "file:2.md !file:1.md") == keys(reader, "file:2.MD")
    ground.command("prioritise", "k63", priority=1)
    assert keys(reader, "prio:<=1") == keys(reader, "prio:1") == {"k63"}
    assert (
        len(keys(reader, "prio:none"))
        == len(keys(reader, "prio:>1 prio:none,0,1,2,3") | keys(reader, "prio:none"))
        == 99
    )
    ground.clock.advance(7_200)
    ground.add("fresh")
    made = Reader(ground.state, project="test", clock=ground.clock)
    assert keys(made, "age:<1h") == {"fresh"}
    assert len(keys(made, "age:>1h")) == 100
    made.close()


def test_filter_finds_by_fields_of_data_and_of_results(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs"))
    ground.add(
        candidate("own", data={"effort": "Small", "size": 12, "draft": True}),
        candidate("scoped", data={"effort": "unknown"}),
        candidate("bare", data={}),
    )
    ground.end(*(finished(claim, {"effort": "small"}) for claim in ground.claim(n=9) if claim.item.key == "scoped"))
    made = Reader(ground.state, project="test")
    assert keys(made, "effort:small") == {"own", "scoped"}
    assert keys(made, "!effort:SMALL") == {"bare"}
    assert keys(made, ".size:12 .draft:true") == {"own"}
    assert keys(made, "risk:low") == set()
    made.close()


def test_filter_finds_the_parts_of_an_item(ground: Ground) -> None:
    ground.add(candidate("whole"), candidate("one", parent_key="whole"), candidate("two", parent_key="whole"))
    reader = Reader(ground.state, project="test")
    assert keys(reader, "of:whole") == {"one", "two"}
    assert keys(reader, "!of:whole") == {"whole"}
    reader.close()


def test_hostile_words_are_only_words(reader: Reader) -> None:
    for text in ("'; DROP TABLE items --", "%", "_", "\\", '"a" OR 1=1'):
        assert keys(reader, f'"{text.replace(chr(34), "")}"') == set()


@pytest.mark.parametrize("paced", [True, False])
def test_what_was_throttled_says_so_and_until_when(tmp_path: Path, paced: bool) -> None:
    ground = Ground(tmp_path, job("docs", stage("work", pace=Rate(count=1, per_s=60.0, burst=1) if paced else None)))
    ground.add("a")
    name = "stage:docs.work" if paced else f"number:{ground.stage_id('work')}"
    until = ground.now + 60_000
    ground.do(incidents.slow, {name: until}, ground.now)
    made = Reader(ground.state, project="test", clock=ground.clock)
    (hold,) = made.jobs()[0].holds
    assert (hold.gate, hold.why, hold.until) == ("throttled", "1 ready, held back because it was throttled", until)
    ground.clock.advance(61)
    assert made.jobs()[0].holds == ()
    made.close()
    ground.close()


def test_limits_say_who_holds_and_who_waits(tmp_path: Path) -> None:
    paced = job(
        "docs",
        stage("work", resources=("disk",), pace=Rate(count=1, per_s=60.0, burst=1)),
        stage("index", after=("work",)),
    )
    ground = Ground(tmp_path, paced)
    ground.do(limits.sync_resources, [ResourceSpec(name="disk", capacity=2, pace=None)])
    ground.add("a", "b", "c")
    ground.claim(n=2)
    made = Reader(ground.state, project="test", clock=ground.clock)
    found = {(one.kind, one.name): one for one in made.limits()}
    made.close()
    ground.close()
    disk = found["resource", "disk"]
    assert (disk.capacity, disk.held, [(use.stage, use.ready) for use in disk.uses]) == (2, 2, [("work", 1)])
    assert found["pace", "docs.work"].pace == "1/m"
    assert found["slots", "docs.work"].held == 2
    assert ("slots", "docs.index") not in found


def test_a_page_of_all_jobs_in_the_order_of_ids_sorts_nothing(ground: Ground) -> None:
    """A list of a million rows shows its first page as soon as that many match."""
    query = ItemQuery(terms=parse("title").terms)
    found, values = item_lists.where(ground.db, query, 0)
    queries = item_lists._SQL
    for parts in (
        (queries.sort_created, *found, queries.by_created),
        (queries.item_columns, *found, queries.by_created),
    ):
        plan = [row[3] for row in ground.db.execute("EXPLAIN QUERY PLAN " + "\n".join(parts), values)]
        assert not any("TEMP B-TREE" in step for step in plan), plan
