"""`rivus jobs list|pause|resume`."""

from __future__ import annotations

import click

from rivus_tui.bulk_page import forecast_said
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.output import json_option, print_json, tell
from rivus_tui.cli.status import job_object, print_jobs
from rivus_tui.cli.times import moment


@click.group()
def jobs() -> None:
    """List, pause and resume jobs."""


@jobs.command("list")
@json_option
@click.pass_obj
def list_jobs(asked: Asked, as_json: bool) -> None:
    """List the jobs that ran here, with their counts."""
    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return
    try:
        views = reader.jobs()
    finally:
        reader.close()
    if as_json:
        for view in views:
            print_json(job_object(view))
    else:
        print_jobs(views)


@jobs.command()
@click.argument("job")
@click.option("--stage", help="Only this stage of it.")
@click.option("--until", metavar="WHEN", help="It goes on by itself then: 2h, 3d, 2027-01-31 or 2027-01-31T09:00.")
@click.option("--why", default="", help="Why; shown wherever the job is.")
@json_option
@click.pass_obj
def pause(asked: Asked, job: str, stage: str | None, until: str | None, why: str, as_json: bool) -> None:
    """Claim nothing of JOB, or of one stage of it, until it is resumed."""
    args = {"job": job, "why": why, "stage": stage, "until": None if until is None else moment(until)}
    given = {name: value for name, value in args.items() if value is not None}
    raise click.exceptions.Exit(tell(apply(asked, "pause", given), as_json))


@jobs.command()
@click.argument("job")
@click.option("--stage", help="Only this stage of it.")
@json_option
@click.pass_obj
def resume(asked: Asked, job: str, stage: str | None, as_json: bool) -> None:
    """Let a paused JOB, or a paused stage of it, go on; what that would cost goes to standard error."""
    if stage is not None:
        raise click.exceptions.Exit(tell(apply(asked, "resume", {"job": job, "stage": stage}), as_json))
    reader = asked.reader()
    said = ""
    if reader is not None:
        try:
            said = forecast_said(reader.forecast(job))
        finally:
            reader.close()
    outcome = apply(asked, "resume", {"job": job})
    if outcome.ok and said:
        click.echo(f"before it: {said}", err=True)
    raise click.exceptions.Exit(tell(outcome, as_json))
