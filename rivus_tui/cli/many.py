"""One command on all items that a filter finds: the question before it, and how far it is while it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from engine.contracts.commands import CommandOutcome
from rivus_tui.bulk_page import paused_jobs, question
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.listing import terms
from rivus_tui.cli.output import tell
from rivus_tui.format import plural

if TYPE_CHECKING:
    from engine.store.reader import Reader

_LOOK_S: Final = 0.1
"""How often it is looked how far it is."""

F = TypeVar("F", bound=Callable[..., Any])


def chosen(function: F) -> F:
    """Let a verb take JOB and KEY…, or all items that a filter finds."""
    for add in (
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option(
            "--where", "--filter", "where", metavar="FILTER", help="All items (of JOB) that this filter lets through."
        ),
        click.argument("keys", nargs=-1),
        click.argument("job", required=False),
    ):
        function = add(function)
    return function


def steer(
    asked: Asked,
    name: str,
    job: str | None,
    keys: Sequence[str],
    where: str | None,
    more: Mapping[str, Any],
    *,
    yes: bool,
    as_json: bool,
) -> int:
    """Give a command to the items that were named, or that a filter finds; returns the exit code."""
    if where is None:
        if job is None or not keys:
            raise click.UsageError("say JOB and KEY…, or --where FILTER")
        return tell(apply(asked, name, {"job": job, "keys": list(keys), **more}), as_json)
    if keys:
        raise click.UsageError("say either KEY… or --where FILTER")
    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return 1
    try:
        return _steer_all(asked, reader, name, job, where, more, yes=yes, as_json=as_json)
    finally:
        reader.close()


def _steer_all(
    asked: Asked,
    reader: Reader,
    name: str,
    job: str | None,
    where: str,
    more: Mapping[str, Any],
    *,
    yes: bool,
    as_json: bool,
) -> int:
    from engine.contracts.errors import UseError
    from engine.contracts.view import ItemQuery

    jobs = reader.jobs()
    names = [view.name for view in jobs]
    if job is not None and job not in names:
        raise UseError(f"there is no job `{job}` here; there are: {', '.join(names) or 'none'}")
    look = reader.bulk_look(name, more, ItemQuery(job=job, terms=terms((), "", where)))
    for position, paragraph in enumerate(question(look, paused_jobs(name, jobs))):
        click.echo(f"{name}: {paragraph}" if position == 0 else f"  {paragraph}", err=True)
    if not look.eligible:
        return 1
    if not yes:
        if not sys.stdin.isatty():
            raise UseError(f"this is about {plural(look.eligible, 'item')}: say --yes where nobody can be asked")
        click.confirm(f"{name.capitalize()} {plural(look.eligible, 'item')}?", abort=True, err=True)
    args = {"name": name, "targets": look.targets, **more}
    return tell(apply(asked, "bulk", args, then=lambda begun: wait(asked, reader, begun)), as_json)


def wait(asked: Asked, reader: Reader, begun: CommandOutcome) -> CommandOutcome:
    """Show how far a command on many items is until it has ended; what an engine leaves, the next one goes on with."""
    if begun.operation is None:
        return begun
    shows = sys.stderr.isatty()
    while True:
        view = reader.bulk(begun.operation)
        if view is None or not view.is_open:
            break
        if asked.state_dir().owner() is None:
            message = f"the engine has ended after {view.looked:,} of {view.total:,}; it goes on at the next start"
            return CommandOutcome(ok=False, message=message, operation=begun.operation)
        if shows:
            click.echo(f"\r{view.name}: {view.looked:,} of {view.total:,} ", err=True, nl=False)
        time.sleep(_LOOK_S)
    if shows:
        click.echo("\r\x1b[K", err=True, nl=False)
    if view is None:
        return begun
    data = {"total": view.total, "changed": view.changed}
    said = f"{view.said}; `rivus undo` takes it back, but for what has run by then"
    return CommandOutcome(ok=view.changed > 0, message=said, operation=begun.operation, data=data)
