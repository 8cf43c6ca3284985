"""`rivus plan`: what would run next, in what order, and what holds the rest."""

from __future__ import annotations

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply as run_command
from rivus_tui.cli.output import json_option, local_time, print_json, print_table, tell


@click.command()
@click.argument("job", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="The next so many.")
@click.option(
    "--advise", is_flag=True, help="Ask a model for advice on the weights between queues; it holds for a day."
)
@click.option("--forget-advice", is_flag=True, help="Let rules alone weigh the queues again.")
@json_option
@click.pass_obj
def plan(asked: Asked, job: str | None, limit: int, advise: bool, forget_advice: bool, as_json: bool) -> None:
    """Show what would run next, most due first: its stage, priority, since when it is ready, and what holds it."""
    from engine.contracts.errors import UseError

    if advise or forget_advice:
        if advise and forget_advice:
            raise UseError("--advise or --forget-advice, not both")
        raise click.exceptions.Exit(tell(run_command(asked, "advise", {"forget": forget_advice}), as_json))

    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return
    try:
        names = [view.name for view in reader.jobs()]
        if job is not None and job not in names:
            raise UseError(f"there is no job `{job}` here; there are: {', '.join(names) or 'none'}")
        coming = reader.plan(job, limit)
    finally:
        reader.close()
    if as_json:
        for one in coming:
            print_json(one)
        return
    print_table(
        ("#", "JOB", "STAGE", "KEY", "PRI", "READY SINCE", "HELD BY, WEIGHT"),
        [
            (
                position,
                one.job,
                one.stage,
                one.key,
                "" if one.priority is None else f"P{one.priority}",
                local_time(one.ready_at),
                "; ".join([*(hold.why for hold in one.holds), *([one.weight] if one.weight else [])]),
            )
            for position, one in enumerate(coming, start=1)
        ],
    )
    if not coming:
        click.echo("nothing is ready to run; `rivus status --why` says what waits", err=True)
