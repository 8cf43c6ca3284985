"""`rivus events`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from engine.kit.safe_text import safe_line
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, local_time, print_json

if TYPE_CHECKING:
    from engine.contracts.view import EventView
    from engine.store.reader import Reader

_LOOK_S: Final = 0.5
_PAGE: Final = 500


@click.command()
@click.option("--job", help="Only events of this job.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many.")
@click.option("--follow", is_flag=True, help="Go on with what happens from now on; Ctrl+C ends it.")
@json_option
@click.pass_obj
def events(asked: Asked, job: str | None, limit: int, follow: bool, as_json: bool) -> None:
    """Show what happened, newest last."""
    from engine.contracts.errors import UseError

    reader = asked.reader()
    if reader is None:
        click.echo("nothing has happened here yet", err=True)
        return
    try:
        found = reader.events_page(None, limit, job)
        names = [view.name for view in reader.jobs()]
        if job is not None and not found and job not in names:
            raise UseError(f"there is no job `{job}` here; there are: {', '.join(names) or 'none'}")
        for event in reversed(found):
            _print(event, as_json)
        if follow:
            _follow(reader, job, max((event.id for event in found), default=0), as_json)
    finally:
        reader.close()


def _follow(reader: Reader, job: str | None, seen: int, as_json: bool) -> None:
    """Print what is new until nobody listens any more."""
    while True:
        while page := reader.events_after(seen, _PAGE, job):
            for event in page:
                _print(event, as_json)
            seen = page[-1].id
        time.sleep(_LOOK_S)


def _print(event: EventView, as_json: bool) -> None:
    if as_json:
        print_json(event)
        return
    who = " ".join(part for part in (event.job, event.key, event.stage) if part)
    text = safe_line(f"{who}  {event.text}" if who else event.text)
    click.echo(f"{local_time(event.at)}  {event.level:7}  {text}")
