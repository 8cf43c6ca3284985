"""`rivus db backup|check|restore|prune`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from rivus_tui.cli.asked import Asked


@click.group()
def db() -> None:
    """Back up, check, restore and prune the state file."""


@db.command()
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def backup(asked: Asked, target: Path | None) -> None:
    """Copy the state file to TARGET (default: beside it, with the time in its name); works while the engine runs."""
    from engine.store.upkeep import backup as copy

    database = _existing(asked)
    chosen = target or database.with_name(f"backup-{time.strftime('%Y%m%d-%H%M%S')}.db")
    size = copy(database, chosen.absolute())
    click.echo(f"{chosen}: {size:,} bytes, checked")


@db.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.pass_context
def check(ctx: click.Context, file: Path | None) -> None:
    """Check every page, reference, checksum and count of the state file, or of FILE; exit 1 if something is wrong."""
    from engine.contracts.errors import UseError
    from engine.store.upkeep import check as look

    database = file or _existing(ctx.obj)
    if not database.exists():
        raise UseError(f"{database}: there is no such file")
    problems = 0
    for problem in look(database):
        problems += 1
        click.echo(problem, err=True)
    click.echo(f"{database}: {problems or 'no'} {'problem' if problems == 1 else 'problems'}")
    ctx.exit(1 if problems else 0)


@db.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def restore(asked: Asked, source: Path, yes: bool) -> None:
    """Put the copy SOURCE in place of the state file, which is set aside and never deleted."""
    from engine.contracts.errors import UseError
    from engine.kit.clock import SystemClock
    from engine.store.state_dir import EngineLock
    from engine.store.upkeep import restore as put_back

    state = asked.state_dir()
    if not yes and state.database.exists():
        if not sys.stdin.isatty():
            raise UseError("restoring replaces what happened since the copy: say --yes where nobody can be asked")
        click.confirm(f"Replace {state.database} by {source}?", abort=True, err=True)
    state.create()
    now = SystemClock().now()
    lock = EngineLock(state, mode="command", now=now)
    try:
        aside = put_back(state.database, source.absolute(), now)
        lock.was_cut = False
    finally:
        lock.release()
    click.echo(f"restored from {source}" + (f"; what it replaced is {aside}" if aside else ""))


@db.command()
@click.pass_obj
def prune(asked: Asked) -> None:
    """Delete what is beyond its keeping time now, and give the space back. The engine does the first by itself."""
    from contextlib import closing

    from engine.kit.clock import SystemClock
    from engine.store.migrate import connect, prepare
    from engine.store.state_dir import EngineLock
    from engine.store.upkeep import prune as prune_batch

    database = _existing(asked)
    now = SystemClock().now()
    lock = EngineLock(asked.state_dir(), mode="command", now=now)
    try:
        prepare(database, doubt=lock.was_cut)
        lock.was_cut = False
        with closing(connect(database)) as connection:
            deleted = 0
            while n := prune_batch(connection, now):
                deleted += n
            connection.execute("VACUUM")
    finally:
        lock.release()
    click.echo(f"pruned {deleted:,} rows; {database} has {database.stat().st_size:,} bytes")


def _existing(asked: Asked) -> Path:
    from engine.contracts.errors import UseError

    database = asked.state_dir().database
    if not database.exists():
        raise UseError(f"{database}: nothing has run here yet")
    return database
