"""`rivus undo`."""

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
