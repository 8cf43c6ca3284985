"""`rivus check list|run`."""

from __future__ import annotations

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, local_time, print_json, print_table


@click.group()
def check() -> None:
    """List and run checks."""


@check.command("list")
@json_option
@click.pass_obj
def list_command(asked: Asked, as_json: bool) -> None:
    """List the checks with their newest run."""
    from engine.contracts.view import JobView

    project = asked.project()
    reader = asked.reader()
    views: dict[str, JobView] = {}
    if reader is not None:
        try:
            views = {view.name: view for view in reader.jobs()}
        finally:
            reader.close()
    rows = []
    for job in project.jobs:
        if not job.is_check:
            continue
        view = views.get(job.name)
        last = view.last_run if view else None
        findings = sum(view.items.get(state, 0) for state in ("pending", "waiting", "failed")) if view else 0
        if as_json:
            print_json(
                {
                    "check": job.name,
                    "findings_to": job.findings_to,
                    "open": findings,
                    "last_run": last,
                    "broken": job.broken,
                }
            )
        rows.append(
            (job.name, findings, local_time(last.ended_at) if last else "never", last.state if last else "", job.broken)
        )
    if not as_json:
        print_table(("CHECK", "OPEN", "LAST RUN", "RESULT", "BROKEN"), rows)


@check.command()
@click.argument("names", nargs=-1)
@json_option
@click.pass_context
def run(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Run checks once (all, when none is named); their findings become items. Exit 1 if a check failed to run."""
    from engine.contracts.errors import UseError
    from rivus_tui.cli.run import run_job

    asked: Asked = ctx.obj
    checks = [job.name for job in asked.project().jobs if job.is_check]
    wrong = [name for name in names if name not in checks]
    if wrong:
        raise UseError(f"there is no check `{wrong[0]}`; there are: {', '.join(checks) or 'none'}")
    if not checks:
        raise UseError("no job of this configuration is a check")
    ctx.exit(max(run_job(asked, name, once=True, as_json=as_json) for name in names or checks))
