"""`rivus events`."""

from __future__ import annotations

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, local_time, print_json


@click.command()
@click.option("--job", help="Only events of this job.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many.")
@json_option
@click.pass_obj
def events(asked: Asked, job: str | None, limit: int, as_json: bool) -> None:
    """Show what happened, newest last."""
    from engine.kit.safe_text import safe_line

    reader = asked.reader()
    if reader is None:
        click.echo("nothing has happened here yet", err=True)
        return
    try:
        found = reader.events_page(None, limit, job)
    finally:
        reader.close()
    for event in reversed(found):
        if as_json:
            print_json(event)
        else:
            who = " ".join(part for part in (event.job, event.key, event.stage) if part)
            click.echo(
                f"{local_time(event.at)}  {event.level:7}  {safe_line(f'{who}  {event.text}' if who else event.text)}"
            )
