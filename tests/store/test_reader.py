from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.contracts.view import ItemQuery
from engine.store.reader import Reader
from tests.factories import Ground, candidate


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


QUERIES = [
    ItemQuery(),
    ItemQuery(job="docs"),
    ItemQuery(scope="external"),
    ItemQuery(scope="internal"),
    ItemQuery(job="nowhere"),
    ItemQuery(states=("dropped",)),
    ItemQuery(stage_states=("running",)),
    ItemQuery(text="title 1"),
    ItemQuery(text="%"),
    ItemQuery(source="docs", confidence=("high",)),
    ItemQuery(stage_states=("waiting",)),
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: str(query)[10:60])
@pytest.mark.parametrize("order", ["created", "updated", "key", "place"])
def test_pages_from_anchors_make_up_the_list(reader: Reader, query: ItemQuery, order: Any) -> None:
    fields = {name: getattr(query, name) for name in query.__slots__ if name != "order"}
    query = ItemQuery(**fields, order=order)
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
