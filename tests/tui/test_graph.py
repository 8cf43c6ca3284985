"""Stages as a drawing: columns by depth, lines to what needs a stage, trouble where one has failed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rivus_tui.format import Cell, width_of
from rivus_tui.graph import Node, graph_lines, item_graph
from tests.tui.rows import sample
from tests.tui.story import open_room


def node(name: str, *after: str, failed: bool = False) -> Node:
    """Return a stage, done or failed."""
    mark = Cell("x", "bad") if failed else Cell("+", "ok")
    return Node(name=name, mark=mark, after=after, holds=failed)


def drawn(*nodes: Node, width: int = 100) -> list[str]:
    """Return the drawing as text."""
    return ["".join(part.text for part in line).rstrip() for line in graph_lines(nodes, width)]


def test_chain_is_one_line() -> None:
    assert drawn(node("read"), node("outline", "read"), node("index", "outline")) == [
        "+ read ──── + outline ──── + index"
    ]


def test_branches_part_and_meet_again() -> None:
    nodes = (node("fetch"), node("a", "fetch"), node("b", "fetch", failed=True), node("join", "a", "b"))
    assert drawn(*nodes) == [
        "+ fetch ──┬─ + a ──┬─ + join",
        "          └─ x b ──┘",
    ]


def test_lines_from_a_failed_stage_are_trouble() -> None:
    (line,) = graph_lines([node("read", failed=True), node("index", "read")], 80)
    assert [part.role for part in line if "─" in part.text] == ["bad"]


def test_without_room_it_is_told_in_lines() -> None:
    assert drawn(node("read"), node("index", "read"), width=12) == ["+ read", "+ index  af…"]


def test_circle_and_unknown_names_are_drawn_somehow() -> None:
    assert drawn(node("a", "b"), node("b", "a"), node("c", "nowhere"))


@given(
    edges=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=16),
    names=st.lists(st.text(min_size=1, max_size=30), min_size=8, max_size=8, unique=True),
    width=st.integers(1, 200),
)
def test_no_line_is_wider_than_its_room(edges: list[tuple[int, int]], names: list[str], width: int) -> None:
    nodes = [node(name, *(names[a] for a, b in edges if b == at)) for at, name in enumerate(names)]
    assert all(width_of(line) <= width for line in graph_lines(nodes, width))


async def test_item_and_job_show_the_stage_that_failed() -> None:
    async with open_room(None, "2", "slash", *"install", "enter", "enter", "[", size=(100, 30)) as story:
        assert "+ read ──── x outline ──── . index" in story.text()
    async with open_room(None, "j", "j", size=(100, 44)) as story:
        assert "> read ──── x outline ──── ~ index" in story.text()
    assert item_graph(sample().details["todos", "k0001"].stages[:1], 0, 80) == []
