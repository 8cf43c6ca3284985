"""The stages of a job as a drawing: what comes after what, and which of them holds up the rest. Pure.

Stages stand in columns by how many others they come after; lines lead from each to what needs it. Where the drawing
does not fit, the same is told in lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len

from engine.contracts.states import StageState
from engine.contracts.values import dataclass
from engine.contracts.view import ItemStageView, StageView
from rivus_tui.format import Cell, Line, cell, fit, fit_line
from rivus_tui.states import stage_state
from rivus_tui.theme import Role

_GAP: Final = 5
"""Cells between two columns, for the lines."""
_LONGEST: Final = 22
_UP, _RIGHT, _DOWN, _LEFT = 1, 2, 4, 8
_SIGNS: Final = " ╵╶└╷│┌├╴┘─┴┐┤┬┼"
"""By which of the four sides a cell of a line leads to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One stage."""

    name: str
    mark: Cell
    """Shape of its state, one cell wide, and its role."""
    after: tuple[str, ...]
    holds: bool = False
    """Whether what comes after it waits for it: the lines from it are drawn as trouble."""
    chosen: bool = False


def item_graph(stages: Sequence[ItemStageView], chosen: int, width: int) -> list[Line]:
    """Draw the stages of one item; a single one needs no drawing."""
    nodes = [
        Node(
            name=stage.stage, mark=_first(stage_state(stage.state)), after=stage.after,
            holds=stage.state == "failed", chosen=index == chosen,
        )
        for index, stage in enumerate(stages)
    ]  # fmt: skip
    return graph_lines(nodes, width) if len(nodes) > 1 else []


_FIRST: Final[tuple[StageState, ...]] = ("failed", "running", "waiting", "later", "ready", "blocked", "done")
"""What a stage of a job is drawn as: the first of these that an item is in there."""


def job_graph(stages: Sequence[StageView], width: int) -> list[Line]:
    """Draw the stages of a job; a single one needs no drawing."""
    nodes = []
    for stage in stages:
        state = next((one for one in _FIRST if stage.counts.get(one)), None) if stage.enabled else "skipped"
        mark = Cell(".", "muted") if state is None else _first(stage_state(state))
        nodes.append(Node(name=stage.name, mark=mark, after=stage.after, holds=state == "failed"))
    return graph_lines(nodes, width) if len(nodes) > 1 else []


def _first(state: Cell) -> Cell:
    return Cell(state.text[0], state.role)


def graph_lines(nodes: Sequence[Node], width: int) -> list[Line]:
    """Return the drawing, or what stands for it where there is no room."""
    columns = _columns(nodes)
    sizes = [max(min(cell_len(cell(node.name).text), _LONGEST) + 3 for node in column) for column in columns]
    if sum(sizes) + _GAP * (len(sizes) - 1) > width:
        return _told(nodes, width)
    return _Drawing(columns, sizes).lines()


def _columns(nodes: Sequence[Node]) -> list[list[Node]]:
    """Stages by depth; one that names stages which are not there comes first."""
    known = {node.name: node for node in nodes}
    depth: dict[str, int] = {}

    def deep(name: str, path: frozenset[str]) -> int:
        if name not in depth:
            before = [one for one in known[name].after if one in known and one not in path]
            depth[name] = max((deep(one, path | {name}) + 1 for one in before), default=0)
        return depth[name]

    columns: list[list[Node]] = []
    for node in nodes:
        at = deep(node.name, frozenset())
        columns += [[] for _ in range(at + 1 - len(columns))]
        columns[at].append(node)
    return [column for column in columns if column]


def _told(nodes: Iterable[Node], width: int) -> list[Line]:
    lines = []
    for node in nodes:
        after = (Cell("  after ", "muted"), cell(", ".join(node.after), "muted")) if node.after else ()
        name = cell(node.name, "strong" if node.chosen else node.mark.role)
        lines.append(fit_line([node.mark, Cell(" "), name, *after], width))
    return lines


class _Drawing:
    """A grid of cells: names, and lines between them."""

    def __init__(self, columns: Sequence[Sequence[Node]], sizes: Sequence[int]) -> None:
        self._columns = columns
        self._at = {node.name: (row, at) for at, nodes in enumerate(columns) for row, node in enumerate(nodes)}
        self._starts = [sum(sizes[:column]) + _GAP * column for column in range(len(sizes))]
        self._sizes = sizes
        self._sides: dict[tuple[int, int], int] = {}
        self._bad: set[tuple[int, int]] = set()

    def lines(self) -> list[Line]:
        """Return the drawing, top to bottom."""
        nodes = [node for column in self._columns for node in column]
        known = {node.name: node for node in nodes}
        for node in nodes:
            for before in node.after:
                if before in known:
                    self._lead(known[before], node)
        height = max(len(column) for column in self._columns)
        return [self._line(row) for row in range(height)]

    def _lead(self, before: Node, after: Node) -> None:
        """Lead a line from a stage to one that needs it: along its row, then down or up in the gap before that one."""
        row, column = self._at[before.name]
        goal, last = self._at[after.name]
        turn = self._starts[last] - 3
        begin = self._starts[column] + cell_len(_shown(before)) + 1
        for x in range(begin, turn):
            self._join(row, x, _LEFT | _RIGHT, before.holds)
        step = 1 if goal > row else -1
        if goal == row:
            self._join(row, turn, _LEFT | _RIGHT, before.holds)
        else:
            self._join(row, turn, _LEFT | (_DOWN if step > 0 else _UP), before.holds)
            for y in range(row + step, goal, step):
                self._join(y, turn, _UP | _DOWN, before.holds)
            self._join(goal, turn, _RIGHT | (_UP if step > 0 else _DOWN), before.holds)
        self._join(goal, turn + 1, _LEFT | _RIGHT, before.holds)

    def _join(self, row: int, x: int, sides: int, bad: bool) -> None:
        self._sides[row, x] = self._sides.get((row, x), 0) | sides
        if bad:
            self._bad.add((row, x))

    def _line(self, row: int) -> Line:
        cells: list[Cell] = []
        x = 0
        for column, nodes in enumerate(self._columns):
            cells += self._between(row, x, self._starts[column])
            x = self._starts[column]
            if row < len(nodes):
                node = nodes[row]
                text = _shown(node)
                role: Role = "strong" if node.chosen else node.mark.role
                cells += [Cell(f"{node.mark.text} ", node.mark.role), Cell(text[2:], role)]
                x += cell_len(text)
        return (*cells, *self._between(row, x, self._starts[-1] + self._sizes[-1]))

    def _between(self, row: int, start: int, end: int) -> list[Cell]:
        """The line signs of one row from one cell to another."""
        found: list[Cell] = []
        for x in range(start, end):
            sign = _SIGNS[self._sides.get((row, x), 0)]
            role: Role = "bad" if (row, x) in self._bad else "muted"
            if found and found[-1].role == role:
                found[-1] = Cell(found[-1].text + sign, role)
            else:
                found.append(Cell(sign, role))
        return found


def _shown(node: Node) -> str:
    name = cell(node.name).text
    return f"{node.mark.text} {fit(name, _LONGEST) if cell_len(name) > _LONGEST else name}"
