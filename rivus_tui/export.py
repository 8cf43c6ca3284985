"""What a list shows, as text for a file or the clipboard: CSV, JSON lines, Markdown. Pure."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from rivus_tui.columns import Column
from rivus_tui.format import cell

Row = TypeVar("Row")

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the beginning of a cell."""


def lines(form: str, said: str, columns: Sequence[Column[Row]], rows: Iterable[Row], now: int) -> Iterator[str]:
    """Yield the lines of a file in the form `csv`, `jsonl` or `md`, without line breaks.

    `said` (filter, order, time) stands at its top.
    """
    if form == "jsonl":
        yield json.dumps({"view": said}, ensure_ascii=False)
        for row in rows:
            yield as_json(row)
        return
    titles = [column.title.strip() or "-" for column in columns]
    if form == "md":
        yield f"{_markdown(said)}\n"
        yield f"| {' | '.join(titles)} |"
        yield f"|{' --- |' * len(titles)}"
        for row in rows:
            yield f"| {' | '.join(_markdown(text) for text in _texts(columns, row, now))} |"
        return
    yield _csv([f"# {said}"])
    yield _csv(titles)
    for row in rows:
        yield _csv([f"'{text}" if text.startswith(_FORMULA) else text for text in _texts(columns, row, now)])


def as_json(row: Any) -> str:
    """Return a row as one JSON object on one line, controls escaped."""
    return json.dumps(_plain(row), ensure_ascii=True, default=str)


def markdown(row: Row, columns: Sequence[Column[Row]], now: int) -> str:
    """Return a row as a list in Markdown."""
    shown = zip(columns, _texts(columns, row, now), strict=True)
    return "\n".join(f"- **{column.title.strip().lower()}**: {_markdown(text)}" for column, text in shown if text)


def _texts(columns: Sequence[Column[Row]], row: Row, now: int) -> list[str]:
    return [cell(column.show(row, now).text).text.strip() for column in columns]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "items"):
        return {str(key): _plain(one) for key, one in value.items()}
    return value


def _markdown(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`").replace("<", "&lt;")
    return escaped.replace("[", "\\[").replace("*", "\\*").replace("_", "\\_")


def _csv(values: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()


def pages(
    anchors: Sequence[Any], page: Callable[[Any, int], Sequence[Row]], step: int, stop: Callable[[], bool]
) -> Iterator[Row]:
    """Yield the rows of a source from its anchors, `step` rows each, until it is told to stop."""
    for number, anchor in enumerate(anchors):
        if stop():
            return
        yield from page(anchor if number else None, step)
