"""`rivus status`: the project at a glance, with or without a running engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine.kit.safe_text import safe_line
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, local_time, print_json, print_table

if TYPE_CHECKING:
    from engine.contracts.view import EngineView, JobView


@click.command()
@click.option("--why", is_flag=True, help="Also say why what waits, waits: every gate, and when it frees.")
@click.option("--check", is_flag=True, help="Say whether work goes on; exit 1 when not: a health check.")
@json_option
@click.pass_obj
def status(asked: Asked, why: bool, check: bool, as_json: bool) -> None:
    """Show jobs, counts, and whether an engine runs; exit 0 with none running, too."""
    if check:
        from rivus_tui.cli.health import unhealthy

        problems = unhealthy(asked)
        if as_json:
            print_json({"healthy": not problems, "problems": problems})
        else:
            click.echo("\n".join(map(safe_line, problems)) or "healthy")
        raise click.exceptions.Exit(1 if problems else 0)
    reader = asked.reader()
    jobs: list[JobView] = []
    engine: EngineView | None = asked.state_dir().owner()
    totals = {"running": 0, "ready": 0, "failed": 0, "waiting": 0}
    if reader is not None:
        try:
            jobs = reader.jobs()
            view = reader.status()
            engine = view.engine
            totals = {name: getattr(view, name) for name in totals}
        finally:
            reader.close()
    if as_json:
        print_json(
            {
                "project": asked.root().name,
                "state_dir": str(asked.state_dir().path),
                "engine": engine,
                **totals,
                "jobs": [job_object(job) for job in jobs],
            }
        )
        return
    if engine is None:
        click.echo(f"{asked.root().name}: no engine runs; start one with `rivus` or `rivus --serve`")
    else:
        since = local_time(engine.started_at)
        click.echo(f"{asked.root().name}: engine {engine.state} (pid {engine.pid}, {engine.mode}, since {since})")
    if not jobs:
        click.echo("nothing has run here yet")
        return
    click.echo(", ".join(f"{n} {name}" for name, n in totals.items()))
    print_jobs(jobs)
    if why:
        for job in jobs:
            for hold in job.holds:
                until = f", until {local_time(hold.until)}" if hold.until is not None else ""
                where = f"{job.name} {hold.stage}" if hold.stage else job.name
                click.echo(safe_line(f"{where}: {hold.why}{until}"))
            for stage in job.stages:
                if stage.weight is not None:
                    click.echo(safe_line(f"{job.name} {stage.name}: {stage.weight}"))


def print_jobs(jobs: list[JobView]) -> None:
    """Print jobs for people."""
    print_table(
        ("JOB", "STATE", "READY", "RUN", "WAIT", "FAIL", "DONE", "LAST RUN", "WHY"),
        [
            (
                job.name,
                job.state,
                job.count("ready"),
                job.count("running"),
                job.items.get("waiting", 0),
                job.items.get("failed", 0),
                job.items.get("done", 0),
                local_time(job.last_run.ended_at or job.last_run.started_at) if job.last_run else "never",
                job.why or (job.last_run.error if job.last_run and job.last_run.error else ""),
            )
            for job in jobs
        ],
    )


def job_object(job: JobView) -> dict[str, Any]:
    """A job as JSON; the same in every listing."""
    return {
        "job": job.name,
        "title": job.title,
        "internal": job.internal,
        "check": job.is_check,
        "findings_to": job.findings_to,
        "state": job.state,
        "why": job.why,
        "items": job.items,
        "stages": [
            {
                "stage": stage.name,
                "gate": stage.gate,
                "enabled": stage.enabled,
                "weight": stage.weight,
                "counts": stage.counts,
            }
            for stage in job.stages
        ],
        "every_s": job.every_s,
        "cron": job.cron,
        "next_run_at": job.next_run_at,
        "last_run": job.last_run,
        "last_error": job.last_error,
        "holds": job.holds,
    }
