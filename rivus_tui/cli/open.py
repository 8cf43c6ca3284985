"""`rivus open`."""

from __future__ import annotations

from dataclasses import replace

import click

from rivus_tui.cli.asked import Asked


@click.command("open")
@click.argument("link")
@click.pass_obj
def open_link(asked: Asked, link: str) -> None:
    """Open the control room at a place: rivus://items?filter=state:failed, rivus://item/JOB/KEY.

    `Y` in the control room copies the link to what is under the cursor; the palette (ctrl+p) takes one, too.
    """
    from engine.contracts.errors import UseError
    from rivus_tui.cli.room import open_room
    from rivus_tui.links import place_of

    try:
        place_of(link)
    except ValueError as error:
        raise UseError(f"{link[:100]}: {error}") from None
    raise click.exceptions.Exit(open_room(replace(asked, link=link)))
