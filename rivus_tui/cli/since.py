"""`rivus since`."""

from __future__ import annotations

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, print_json
from rivus_tui.cli.times import earlier
from rivus_tui.format import moment
from rivus_tui.since_page import since_lines


@click.command()
@click.argument("when", required=False)
@json_option
@click.pass_obj
def since(asked: Asked, when: str | None, as_json: bool) -> None:
    """What finished, failed, was spent and waits since WHEN (8h, 2d, 2027-01-31T09:00), or since the control room was
    left."""
    import time

    from rivus_tui.memory import recall

    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return
    now = time.time_ns() // 1_000_000
    try:
        at = earlier(when) if when is not None else recall(asked.state_dir().room).seen_at or now - 86_400_000
        view = reader.since(at)
    finally:
        reader.close()
    if as_json:
        print_json(view)
        return
    click.echo(f"since {moment(at, 0)}")
    for line in since_lines(view, now):
        click.echo("".join(part.text for part in line))
