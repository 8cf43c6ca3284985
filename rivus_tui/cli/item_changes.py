"""`rivus items again|data`: run items again from a stage, and change what they hold."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from engine.kit.safe_text import safe_line
from rivus_tui.again_page import again_text, why_not_again
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.many import chosen, steer
from rivus_tui.cli.output import json_option, tell

if TYPE_CHECKING:
    from engine.contracts.view import ItemDetail


@click.command()
@chosen
@click.option("--from", "stage", metavar="STAGE", help="The first stage that runs again; the first of all without it.")
@json_option
@click.pass_obj
def again(
    asked: Asked,
    job: str | None,
    keys: tuple[str, ...],
    where: str | None,
    yes: bool,
    stage: str | None,
    as_json: bool,
) -> None:
    """Run items that are done or have failed again, from a stage on; shows what that resets, and asks."""
    from engine.contracts.errors import UseError

    if where is not None:
        if stage is None:
            raise click.UsageError("say --from STAGE with --where")
        raise click.exceptions.Exit(steer(asked, "reset", job, keys, where, {"stage": stage}, yes=yes, as_json=as_json))
    if job is None or not keys:
        raise click.UsageError("say JOB and KEY…, or --where FILTER")
    text: list[str] = []
    for key in keys:
        detail = detail_of(asked, job, key)
        if detail is None or not detail.stages:
            raise UseError(f"there is no item `{safe_line(key, 100)}` in {safe_line(job, 100)}")
        stage = stage or detail.stages[0].stage
        if why := why_not_again(detail, stage):
            raise UseError(f"{key}: {why}; it has: {', '.join(one.stage for one in detail.stages)}")
        text.append(" ".join(again_text(detail, stage, time.time_ns() // 1_000_000)))
    if not yes:
        if not sys.stdin.isatty():
            raise UseError("running it again costs time and money: say --yes where nobody can be asked")
        for key, said in zip(keys, text, strict=True):
            click.echo(f"{safe_line(key)}: {said}" if len(keys) > 1 else said, err=True)
        click.confirm("Run it again?" if len(keys) == 1 else f"Run {len(keys)} items again?", abort=True, err=True)
    args = {"job": job, "stage": stage, "keys": list(keys)}
    raise click.exceptions.Exit(tell(apply(asked, "reset", args), as_json))


def detail_of(asked: Asked, job: str, key: str) -> ItemDetail | None:
    """All that is known of an item; None when there is none, or nothing has run here."""
    reader = asked.reader()
    if reader is None:
        return None
    try:
        return reader.item(job, key)
    finally:
        reader.close()


@click.command()
@click.argument("job")
@click.argument("keys", nargs=-1, required=True)
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE", help="Set a field; the value is JSON or text.")
@click.option("--unset", "gone", multiple=True, metavar="FIELD", help="Take a field away.")
@json_option
@click.pass_obj
def data(
    asked: Asked, job: str, keys: tuple[str, ...], fields: tuple[str, ...], gone: tuple[str, ...], as_json: bool
) -> None:
    """Change the data of items, such as before a retry; it stays whatever their source says."""
    from rivus_tui.fields import value_of

    told: dict[str, Any] = dict.fromkeys(gone)
    for field in fields:
        name, sign, value = field.partition("=")
        if not sign or not name:
            raise click.UsageError(f"--set {field}: write FIELD=VALUE")
        told[name] = value_of(value)
    if not told:
        raise click.UsageError("say --set FIELD=VALUE or --unset FIELD")
    args = {"job": job, "keys": list(keys), "fields": told}
    raise click.exceptions.Exit(tell(apply(asked, "amend", args), as_json))
