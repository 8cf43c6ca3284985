"""`rivus limits`, `rivus limits set` and `rivus limits drop`."""

from __future__ import annotations

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.output import json_option, print_json, print_table, tell

_KINDS = click.Choice(["slots", "resource", "pace"])


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def limits(ctx: click.Context, as_json: bool) -> None:
    """List what limits work: slots, shared resources, pace; those set by hand say what jobs.yaml says instead."""
    if ctx.invoked_subcommand is not None:
        return
    reader = ctx.obj.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return
    try:
        found = reader.limits()
    finally:
        reader.close()
    if as_json:
        for limit in found:
            print_json(limit)
        return
    rows = [
        (
            limit.kind, limit.name, "" if limit.capacity is None else f"{limit.held} of {limit.capacity}", limit.pace,
            "" if limit.instead_of is None else f"by hand; jobs.yaml says {limit.instead_of or 'nothing'}",
        )
        for limit in found
    ]  # fmt: skip
    print_table(("KIND", "NAME", "HELD", "PACE", "SET"), rows)


@limits.command("set")
@click.argument("kind", type=_KINDS)
@click.argument("name")
@click.argument("value")
@json_option
@click.pass_obj
def set_limit(asked: Asked, kind: str, name: str, value: str, as_json: bool) -> None:
    """Set a limit in place of what jobs.yaml says: slots JOB.STAGE 4, resource NAME 2, pace JOB.STAGE 60/h.

    A pace may have a burst, as in '60/h burst 5'; a resource takes a pace too.
    """
    args = {"kind": kind, "name": name, "value": value}
    raise click.exceptions.Exit(tell(apply(asked, "adjust", args), as_json))


@limits.command("drop")
@click.argument("kind", type=_KINDS)
@click.argument("name")
@json_option
@click.pass_obj
def drop_limit(asked: Asked, kind: str, name: str, as_json: bool) -> None:
    """Let what jobs.yaml says hold again."""
    raise click.exceptions.Exit(tell(apply(asked, "adjust", {"kind": kind, "name": name}), as_json))
