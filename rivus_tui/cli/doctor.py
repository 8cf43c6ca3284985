"""`rivus doctor`: failures as few, named incidents, with a cause, an action and a person's last word."""

from __future__ import annotations

from typing import Any

import click

from engine.contracts.incident import IncidentView
from engine.contracts.verdict import CLASSES
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply as run_command
from rivus_tui.cli.doctor_classify import classify
from rivus_tui.cli.output import json_option, local_time, plain, print_json, print_table, tell
from rivus_tui.format import plural


@click.group()
def doctor() -> None:
    """Show incidents, classify failures, overrule verdicts, apply, dismiss, probe and clear."""


doctor.add_command(classify)


@doctor.command("list")
@click.option("--all", "every", is_flag=True, help="Resolved and dismissed ones too.")
@click.option("--limit", type=click.IntRange(min=1, max=10_000), default=200, show_default=True)
@json_option
@click.pass_obj
def list_incidents(asked: Asked, every: bool, limit: int, as_json: bool) -> None:
    """List open incidents, those that happened last first."""
    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return
    try:
        found = reader.incidents(open_only=not every, limit=limit)
    finally:
        reader.close()
    if as_json:
        for incident in found:
            print_json(incident_object(incident))
        return
    if not found:
        click.echo("no incidents", err=True)
    print_table(
        ("ID", "CLASS", "SURE", "BY", "HITS", "ITEMS", "JOBS", "ACTION", "LAST", "SIGNATURE"),
        [
            (
                one.id,
                one.cls if one.state == "open" else f"{one.cls} ({one.state})",
                one.confidence,
                one.by,
                one.count,
                one.items,
                ", ".join(one.jobs),
                one.action,
                local_time(one.last_at),
                one.label,
            )
            for one in found
        ],
    )


@doctor.command()
@click.argument("incident")
@json_option
@click.pass_obj
def show(asked: Asked, incident: str, as_json: bool) -> None:
    """Show one INCIDENT (its number or signature): verdict, evidence, what was done and what would be."""
    from engine.contracts.errors import UseError
    from engine.kit.safe_text import safe_block, safe_line

    reader = asked.reader()
    found = None
    if reader is not None:
        try:
            found = reader.incident(incident)
        finally:
            reader.close()
    if found is None:
        raise UseError(f"there is no incident `{safe_line(incident, 60)}`; `rivus doctor list` names them")
    if as_json:
        print_json(incident_object(found))
        return
    click.echo(f"{found.cls}  {safe_line(found.label, 300)}")
    often = f"{plural(found.count, 'time')}, {plural(found.items, 'item')}"
    click.echo(f"state       {found.state}, {often}, in {', '.join(found.jobs)}")
    click.echo(f"            first {local_time(found.first_at)}, last {local_time(found.last_at)}")
    click.echo(
        f"verdict     {found.confidence}, by {found.by}{f' ({found.rule})' if found.rule else ''}: {found.reason}"
    )
    if found.fix:
        click.echo(f"fix         {safe_line(found.fix)}")
    for breaker in found.breakers:
        until = f", probe at {local_time(breaker.probe_at)}" if breaker.probe_at else ""
        click.echo(f"breaker     {breaker.state} at {breaker.job}.{breaker.stage}{until}")
    for act in found.acts:
        what = {"done": "did", "pending": "would do", "vetoed": "vetoed"}[act.state]
        click.echo(f"{what:11} {act.action} at {local_time(act.due_at)}: {safe_line(act.text, 200)}")
    click.echo("evidence")
    click.echo(f"  {safe_line(str(found.evidence['exc_type']), 200)}: {safe_line(str(found.evidence['message']), 500)}")
    for line in safe_block(str(found.evidence["traceback_tail"]), 4_000).splitlines()[-20:]:
        click.echo(f"  {line}")


@doctor.command()
@click.argument("incident")
@click.argument("verdict", metavar="CLASS", type=click.Choice(CLASSES))
@click.option("--why", default="", help="Why; kept with the verdict.")
@json_option
@click.pass_obj
def overrule(asked: Asked, incident: str, verdict: str, why: str, as_json: bool) -> None:
    """Say what INCIDENT is; the doctor keeps to it, whatever rules and models say."""
    args: dict[str, Any] = {"incident": incident, "class": verdict, "why": why}
    raise click.exceptions.Exit(tell(run_command(asked, "overrule", args), as_json))


@doctor.command()
@click.argument("incident")
@json_option
@click.pass_obj
def apply(asked: Asked, incident: str, as_json: bool) -> None:
    """Do at once what the doctor would do about INCIDENT; with nothing planned, replay what failed with it."""
    raise click.exceptions.Exit(tell(run_command(asked, "apply", {"incident": incident}), as_json))


@doctor.command()
@click.argument("incident")
@json_option
@click.pass_obj
def dismiss(asked: Asked, incident: str, as_json: bool) -> None:
    """Veto what is planned about INCIDENT; with nothing planned, put it aside."""
    raise click.exceptions.Exit(tell(run_command(asked, "dismiss", {"incident": incident}), as_json))


@doctor.command()
@click.argument("incident")
@json_option
@click.pass_obj
def send(asked: Asked, incident: str, as_json: bool) -> None:
    """Send INCIDENT to the TODO list."""
    raise click.exceptions.Exit(tell(run_command(asked, "send", {"incident": incident}), as_json))


@doctor.command()
@click.argument("job")
@json_option
@click.pass_obj
def probe(asked: Asked, job: str, as_json: bool) -> None:
    """Let JOB, which the doctor has paused, try one item now."""
    raise click.exceptions.Exit(tell(run_command(asked, "probe", {"job": job}), as_json))


@doctor.command("clear-errors")
@click.argument("job")
@json_option
@click.pass_obj
def clear_errors(asked: Asked, job: str, as_json: bool) -> None:
    """Close the breakers of JOB, let it go on, and replay what failed."""
    raise click.exceptions.Exit(tell(run_command(asked, "clear-errors", {"job": job}), as_json))


def incident_object(incident: IncidentView) -> dict[str, Any]:
    """An incident as JSON; its class under the name that `classify` uses."""
    told = {("class" if name == "cls" else name): value for name, value in plain(incident).items()}
    for breaker in told["breakers"]:
        breaker["class"] = breaker.pop("cls")
    return {**told, "action": incident.action}
