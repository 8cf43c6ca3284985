"""`rivus import FILE` and `rivus todo export`: TODOs from an old queue, and for other programs."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.listing import filter_option, pages, terms
from rivus_tui.cli.output import json_option, tell
from rivus_tui.cli.todo import job_option
from rivus_tui.cli.todo_work import todo as todo

_COLUMNS = ("key", "state", "priority", "title", "path", "line", "effort", "risk", "type", "project", "origin", "why")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@job_option
@click.option("--dry-run", is_flag=True, help="Only say what would be imported.")
@json_option
@click.pass_obj
def import_command(asked: Asked, file: Path, job: str, dry_run: bool, as_json: bool) -> None:
    """Take over the entries of an old queue.yaml as items; imported again, they are the same items."""
    from engine.config.resolve import Resolver

    found = Resolver().tool("plugins.todos.queue_file.read_queue")(file)
    if dry_run:
        done = sum(1 for entry in found if entry["closed"])
        click.echo(f"{len(found)} entries, {done} of them closed")
        return
    raise click.exceptions.Exit(tell(apply(asked, "import", {"job": job, "items": found}), as_json))


@todo.command()
@click.option("--csv", "form", flag_value="csv", default="csv", help="Comma-separated values (the default).")
@click.option("--md", "form", flag_value="md", help="A table in Markdown.")
@filter_option
@job_option
@click.pass_obj
def export(asked: Asked, form: str, filter_text: str, job: str) -> None:
    """Write TODOs to stdout, by file and line."""
    from engine.contracts.view import ItemQuery

    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    head = [name.upper() for name in _COLUMNS]
    if form == "md":
        click.echo(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    else:
        writer.writerow(head)
    try:
        query = ItemQuery(job=job, terms=terms((), "", filter_text), order="place")
        for item in pages(reader, query):
            detail = reader.item(job, item.key)
            signals = detail.steering.signals if detail is not None else {}
            known = {name: getattr(item, name, signals.get(name)) for name in _COLUMNS}
            cells = ["" if value is None else _clean(str(value)) for value in known.values()]
            if form == "md":
                click.echo(f"| {' | '.join(_markdown(cell) for cell in cells)} |")
            else:
                writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    finally:
        reader.close()


def _clean(text: str) -> str:
    from engine.kit.safe_text import safe_line

    return safe_line(text, 500)


def _markdown(text: str) -> str:
    for sign in "\\|`*_[<":
        text = text.replace(sign, f"\\{sign}")
    return text
