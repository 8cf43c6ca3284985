"""`rivus check list|run|dismiss`."""

from __future__ import annotations

from typing import Final

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, local_time, print_json, print_table, tell

_OPEN: Final = ("pending", "waiting", "failed")
_FIELDS: Final = ("check", "rule", "type", "path", "line", "evidence")
_REASONS: Final = {
    "false-positive": "false positive",
    "wont-fix": "won't fix",
    "used-in-tests": "used in tests",
    "accepted": "accepted as it is",
}


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
    code = 0
    for name in names or checks:
        code = max(code, run_job(asked, name, once=True, as_json=as_json))
        _tell_findings(asked, name, as_json=as_json)
    ctx.exit(code)


def _tell_findings(asked: Asked, check_name: str, *, as_json: bool) -> None:
    """Print what a check has found that is open, by file and line."""
    from engine.contracts.filter import Term
    from engine.contracts.view import ItemQuery
    from rivus_tui.cli.listing import pages

    reader = asked.reader()
    if reader is None:
        return
    terms = (Term(field="source", values=(check_name,)), Term(field="state", values=_OPEN))
    try:
        found = list(pages(reader, ItemQuery(terms=terms, order="place")))
        runs = reader.runs(check_name, 1)
    finally:
        reader.close()
    if as_json:
        for item in found:
            data = item.data
            print_json({"key": item.key} | {name: data.get(name) for name in _FIELDS} | {"sentence": item.title})
        return
    rows = [(f"{item.path}:{item.line}", str(item.data.get("rule")), item.title, item.key) for item in found]
    if rows:
        print_table(("PLACE", "RULE", "FINDING", "KEY"), rows)
    held = runs[0].held_back if runs else 0
    click.echo(f"{len(rows)} open" + (f", {held} new ones held back by max_new or max_open" if held else ""))


@check.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--reason", type=click.Choice(_REASONS), required=True, help="Why it is no work.")
@json_option
@click.pass_obj
def dismiss(asked: Asked, keys: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Put findings aside, with a reason; they do not come back while the check finds the same."""
    from engine.contracts.errors import UseError
    from rivus_tui.cli.commanding import apply

    by_job: dict[str, list[str]] = {}
    targets = {job.findings_to or job.name for job in asked.project().jobs if job.is_check}
    reader = asked.reader()
    if reader is None:
        raise UseError("nothing has run here yet")
    try:
        for key in keys:
            job = next((name for name in sorted(targets) if reader.item(name, key) is not None), None)
            if job is None:
                raise UseError(f"`{key}` is no finding of a check; `rivus check run` prints their keys")
            by_job.setdefault(job, []).append(key)
    finally:
        reader.close()
    outcomes = [
        apply(asked, "drop", {"job": job, "keys": found, "why": _REASONS[reason]}) for job, found in by_job.items()
    ]
    raise click.exceptions.Exit(max(tell(outcome, as_json) for outcome in outcomes))
