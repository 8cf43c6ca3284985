"""`rivus todo scan|match|list|accept|drop|snooze`: what TODO files hold, with no engine and with one.

`todo_work` has the rest of its verbs.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.items import STATES
from rivus_tui.cli.listing import filter_option, list_items, terms
from rivus_tui.cli.output import json_option, print_json, print_table, tell
from rivus_tui.cli.times import moment

JOB = "todos"
job_option = click.option("--job", default=JOB, show_default=True, help="The job that holds the TODOs.")


@click.group()
def todo() -> None:
    """Scan TODO files; list, decide, scope and run what they hold."""


@todo.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@json_option
@click.pass_context
def scan(ctx: click.Context, path: Path, as_json: bool) -> None:
    """Show the TODOs of PATH (a file or a folder, in git or not); nothing is stored."""
    from engine.config.resolve import Resolver
    from engine.contracts.errors import UseError

    if not path.exists():
        raise UseError(f"{path}: there is no such file or folder")
    scan_rows = Resolver().tool("plugins.todos.commands.scan_rows")
    problems = 0
    rows: list[tuple[object, ...]] = []
    for row in scan_rows(path):
        if "problem" in row:
            problems += 1
            click.echo(f"{row['file']}: {row['problem']}", err=True)
        elif as_json:
            print_json(row)
        else:
            place = f"{row['file']}:{row['line']}"
            rows.append((place, row["state"], row["kind"], row["confidence"], row["text"]))
    print_table(("PLACE", "STATE", "KIND", "SURE", "TEXT"), rows)
    ctx.exit(1 if problems else 0)


@todo.command()
@click.argument("old", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("new", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def match(old: Path, new: Path, as_json: bool) -> None:
    """Show which TODO of OLD is which of NEW: two versions of one file."""
    from engine.config.resolve import Resolver

    told: dict[str, Any] = Resolver().tool("plugins.todos.commands.match_files")(old, new)
    if as_json:
        print_json(told)
        return
    print_table(
        ("OLD", "NEW", "TIER", "SCORE"),
        [(pair["old_line"], pair["new_line"], pair["tier"], pair["score"]) for pair in told["matches"]],
    )
    click.echo(f"{len(told['matches'])} kept, {len(told['new'])} new, {len(told['gone'])} gone")


@todo.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
@click.option("--edits", is_flag=True, help="Show what was reworded into what.")
@json_option
def history(path: Path, edits: bool, as_json: bool) -> None:
    """Show how the TODO files of the repository PATH went, commit by commit: kept, reworded, new, gone."""
    from engine.config.resolve import Resolver
    from engine.kit.safe_text import safe_line

    rows = list(Resolver().tool("plugins.todos.history.history_rows")(path))
    if as_json:
        for row in rows:
            print_json(row)
        return
    counted = ("kept", "edited", "ticked", "new", "gone", "open")
    print_table(
        ("COMMIT", "DAY", *(name.upper() for name in counted)),
        [
            (row["commit"][:10], time.strftime("%Y-%m-%d", time.gmtime(row["at"])), *(row[name] for name in counted))
            for row in rows
        ],
    )
    for edit in (edit for row in rows for edit in row["edits"]) if edits else ():
        click.echo(f"{edit['tier']:>2} {edit['score']:3.0f}  {safe_line(edit['old'])}\n     → {safe_line(edit['new'])}")
    total = {name: sum(row[name] for row in rows) for name in counted[:-1]}
    click.echo(f"{len(rows):,} revisions: {', '.join(f'{n:,} {name}' for name, n in total.items())}")


@todo.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only these states.")
@click.option("--text", default="", help="Only TODOs that contain this.")
@filter_option
@click.option("--order", type=click.Choice(["place", "priority", "created", "updated"]), default="place")
@click.option("--limit", type=click.IntRange(min=1), help="At most this many.")
@job_option
@json_option
@click.pass_obj
def list_command(
    asked: Asked,
    states: tuple[Any, ...],
    text: str,
    filter_text: str,
    order: Any,
    limit: int | None,
    job: str,
    as_json: bool,
) -> None:
    """List the TODOs that a scan has stored, by file and line."""
    from engine.contracts.view import ItemQuery

    query = ItemQuery(job=job, terms=terms(states, text, filter_text), order=order)
    list_items(asked, query, limit=limit, as_json=as_json)


@todo.command()
@click.argument("keys", nargs=-1, required=True)
@job_option
@json_option
@click.pass_obj
def accept(asked: Asked, keys: tuple[str, ...], job: str, as_json: bool) -> None:
    """Accept TODOs: the stages behind the gate may run."""
    raise click.exceptions.Exit(tell(apply(asked, "accept", {"job": job, "keys": list(keys)}), as_json))


@todo.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--why", default="", help="Why not.")
@job_option
@json_option
@click.pass_obj
def drop(asked: Asked, keys: tuple[str, ...], why: str, job: str, as_json: bool) -> None:
    """Won't do; only a person brings them back."""
    raise click.exceptions.Exit(tell(apply(asked, "drop", {"job": job, "keys": list(keys), "why": why}), as_json))


@todo.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--until", required=True, metavar="WHEN", help="2h, 3d, 1w, or 2027-01-31 or 2027-01-31T09:00.")
@click.option("--why", default="", help="Why; shown beside its time.")
@job_option
@json_option
@click.pass_obj
def snooze(asked: Asked, keys: tuple[str, ...], until: str, why: str, job: str, as_json: bool) -> None:
    """Look at TODOs again later."""
    args = {"job": job, "keys": list(keys), "until": moment(until), **({"why": why} if why else {})}
    raise click.exceptions.Exit(tell(apply(asked, "snooze", args), as_json))
