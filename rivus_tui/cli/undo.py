"""`rivus undo` and `rivus redo`."""

from __future__ import annotations

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.output import json_option, tell


@click.command()
@click.option("--operation", type=int, help="Number of the command in the journal; the newest when not given.")
@json_option
@click.pass_obj
def undo(asked: Asked, operation: int | None, as_json: bool) -> None:
    """Take back the last command of a person that can be taken back."""
    raise click.exceptions.Exit(tell(apply(asked, "undo", {"operation": operation}), as_json))


@click.command()
@json_option
@click.pass_obj
def redo(asked: Asked, as_json: bool) -> None:
    """Do again what was taken back last."""
    from rivus_tui.cli.many import wait

    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        raise click.exceptions.Exit(1)
    try:
        outcome = apply(asked, "redo", {}, then=lambda begun: wait(asked, reader, begun))
    finally:
        reader.close()
    raise click.exceptions.Exit(tell(outcome, as_json))
