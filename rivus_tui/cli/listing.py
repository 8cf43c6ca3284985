"""Listings of items, read page by page so that a million of them need no memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from engine.kit.safe_text import safe_block
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import ITEM_HEAD, item_object, item_row, print_json, print_table

if TYPE_CHECKING:
    from engine.contracts.filter import Term
    from engine.contracts.view import ItemQuery, ItemView
    from engine.store.reader import Reader

_PAGE = 500

filter_option = click.option(
    "--filter",
    "filter_text",
    default="",
    metavar="FILTER",
    help="Only what the app's filter lets through, such as 'state:failed age:>2h err:timeout !draft'.",
)


def terms(states: Sequence[str], text: str, filter_text: str) -> tuple[Term, ...]:
    """Return the terms of a listing; UseError shows where a filter cannot be understood."""
    from engine.contracts.errors import UseError
    from engine.contracts.filter import Term
    from engine.rules.filters import lowered, parse

    found = parse(filter_text)
    if found.problems:
        problem = found.problems[0]
        where = f"  {filter_text}\n  {' ' * problem.at}{'^' * problem.length}"
        raise UseError(f"--filter: {problem.message}\n{safe_block(where)}")
    more = [Term(field="state", values=tuple(states))] if states else []
    more += [Term(field="text", values=(lowered(text),))] if text else []
    return (*more, *found.terms)


def list_items(asked: Asked, query: ItemQuery, *, limit: int | None, as_json: bool) -> None:
    """Print the items of a query."""
    from engine.contracts.errors import UseError

    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return
    try:
        names = [job.name for job in reader.jobs()]
        if query.job is not None and query.job not in names:
            raise UseError(f"there is no job `{query.job}` here; there are: {', '.join(names) or 'none'}")
        found = _take(pages(reader, query), limit)
        if as_json:
            for item in found:
                print_json(item_object(item))
            return
        rows = list(found)
        print_table(ITEM_HEAD, [item_row(item) for item in rows])
        total = reader.items_count(query)
        click.echo(
            f"{len(rows)} of {total}" if len(rows) < total else f"{total} {'item' if total == 1 else 'items'}", err=True
        )
    finally:
        reader.close()


def _take(found: Iterator[ItemView], limit: int | None) -> Iterator[ItemView]:
    for position, item in enumerate(found):
        if limit is not None and position >= limit:
            return
        yield item


def pages(reader: Reader, query: ItemQuery) -> Iterator[ItemView]:
    """Every item of a query, read page by page."""
    start: tuple[Any, ...] | None = None
    while True:
        page = reader.items_page(query, start, _PAGE + 1)
        yield from page[:_PAGE]
        if len(page) <= _PAGE:
            return
        last = page[_PAGE]
        start = {
            "created": (last.id,),
            "updated": (last.updated_at, last.id),
            "key": (last.key, last.id),
            "place": (last.path if last.path is not None else chr(1114111), last.line or 0, last.id),
            "priority": (9 if last.priority is None else last.priority, last.id),
        }[query.order]
