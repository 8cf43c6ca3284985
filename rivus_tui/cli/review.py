"""`rivus review`: several models review a document, and one report comes of it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, print_json

_LIMIT = 900_000


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--reviewers", required=True, metavar="A,B,C", help="Names below `models` in jobs.yaml.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the report there."
)
@click.option("--deadline", default="5m", show_default=True, metavar="TIME", help="What has not come then is missing.")
@json_option
@click.pass_context
def review(ctx: click.Context, file: Path, reviewers: str, output: Path | None, deadline: str, as_json: bool) -> None:
    """Let several models review FILE and write one Markdown report: a section for each, then the consensus.

    Exit 1 when no reviewer answered, 4 when one of them is not configured.
    """
    from engine.config.units import parse_duration
    from engine.contracts.errors import UseError
    from engine.kit.safe_text import safe_block, safe_line
    from rivus_tui.cli.commanding import apply

    asked: Asked = ctx.obj
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UseError(f"{safe_line(str(file), 200)} cannot be read: {error.strerror}") from error
    if len(text) > _LIMIT:
        raise UseError(f"{safe_line(str(file), 200)} has {len(text):,} characters, {_LIMIT:,} can be reviewed")
    names = [name.strip() for name in reviewers.split(",") if name.strip()]
    try:
        deadline_s = parse_duration(deadline)
    except ValueError as error:
        raise UseError(f"--deadline {error}") from error
    args = {"name": file.name, "text": text, "reviewers": names, "deadline_s": deadline_s}
    outcome = apply(asked, "review", args)
    report = safe_block(str(outcome.data["report"]), 2_000_000)
    if output is not None:
        new = output.with_name(f".{output.name}.new")
        new.write_text(report, encoding="utf-8")
        os.replace(new, output)
    if as_json:
        print_json({key: value for key, value in outcome.data.items() if output is None or key != "report"})
    elif output is None:
        click.echo(report, nl=False)
    click.echo(safe_line(outcome.message), err=True)
    ctx.exit(0 if outcome.ok else 1)
