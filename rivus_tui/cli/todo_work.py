"""`rivus todo add|edit|merge|run|scope|prioritise`: the words of a person beside accept, won't do and later."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.output import json_option, tell
from rivus_tui.cli.todo import job_option, todo

if TYPE_CHECKING:
    from engine.contracts.view import ItemDetail, ItemStageView
    from engine.store.reader import Reader

__all__ = ["todo"]

_GUESS: Final = "about $0.01 to $0.05 each"
_PRIORITIES: Final = ("0", "1", "2", "3", "none")


@todo.command()
@click.argument("title")
@click.option("--priority", type=click.Choice(_PRIORITIES[:4]), help="P0 is urgent.")
@click.option("--accept", "accepted", is_flag=True, help="Accept it at once.")
@job_option
@json_option
@click.pass_obj
def add(asked: Asked, title: str, priority: str | None, accepted: bool, job: str, as_json: bool) -> None:
    """Put in an item of your own; it waits at the gate like every other."""
    args = {"job": job, "title": title, **({} if priority is None else {"priority": int(priority)})}
    outcome = apply(asked, "add", args)
    code = tell(outcome, as_json)
    if accepted and outcome.ok:
        code = _accept_when_it_waits(asked, job, outcome.changed[0])
    raise click.exceptions.Exit(code)


def _accept_when_it_waits(asked: Asked, job: str, key: str) -> int:
    outcome = apply(asked, "accept", {"job": job, "keys": [key]})
    if outcome.ok:
        return 0
    click.echo(f"it is not at its gate yet: run {job}, then `rivus todo accept {key}`", err=True)
    return 1


@todo.command()
@click.argument("key")
@click.argument("title")
@job_option
@json_option
@click.pass_obj
def edit(asked: Asked, key: str, title: str, job: str, as_json: bool) -> None:
    """Call a TODO otherwise; what its file says stays with it."""
    raise click.exceptions.Exit(tell(apply(asked, "edit", {"job": job, "keys": [key], "title": title}), as_json))


@todo.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--into", required=True, metavar="KEY", help="The one that stays.")
@job_option
@json_option
@click.pass_obj
def merge(asked: Asked, keys: tuple[str, ...], into: str, job: str, as_json: bool) -> None:
    """Say that TODOs are the same as another one: they are dropped, and it remembers where they stood."""
    raise click.exceptions.Exit(tell(apply(asked, "merge", {"job": job, "keys": list(keys), "into": into}), as_json))


@todo.command("run")
@click.argument("keys", nargs=-1, required=True)
@click.option("--once", is_flag=True, help="Run its job until nothing is left to run, where no engine runs.")
@job_option
@json_option
@click.pass_obj
def run_command(asked: Asked, keys: tuple[str, ...], once: bool, job: str, as_json: bool) -> None:
    """Let TODOs go before all others, now. What keeps one from starting (gate, question, needs, pause) is said."""
    from rivus_tui.cli.run import run_job

    outcome = apply(asked, "start", {"job": job, "keys": list(keys)})
    code = tell(outcome, as_json)
    if outcome.ok and asked.state_dir().owner() is None:
        if once:
            code = run_job(asked, job, once=True, as_json=as_json)
        else:
            click.echo(f"no engine runs: `rivus run {job} --once` does it, or start rivus", err=True)
    raise click.exceptions.Exit(code)


@todo.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--priority", type=click.Choice(_PRIORITIES), help="Yours; without it, the rule or model judges anew.")
@job_option
@json_option
@click.pass_obj
def prioritise(asked: Asked, keys: tuple[str, ...], priority: str | None, job: str, as_json: bool) -> None:
    """Set the priority of TODOs, or let the stage `prioritise` judge them anew."""
    if priority is None:
        args: dict[str, Any] = {"job": job, "stage": "prioritise", "keys": list(keys)}
        raise click.exceptions.Exit(tell(apply(asked, "reset", args), as_json))
    args = {"job": job, "keys": list(keys), "priority": None if priority == "none" else int(priority)}
    raise click.exceptions.Exit(tell(apply(asked, "prioritise", args), as_json))


@todo.command()
@click.argument("keys", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every accepted TODO that has no scope, or an old one.")
@click.option("--dry-run", is_flag=True, help="Only say which, why, and what it would cost.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@job_option
@json_option
@click.pass_obj
def scope(asked: Asked, keys: tuple[str, ...], every: bool, dry_run: bool, yes: bool, job: str, as_json: bool) -> None:
    """Let a model scope accepted TODOs (again): what they would take. Asks, with the estimate."""
    from engine.contracts.errors import UseError

    if bool(keys) == every:
        raise UseError("say which TODOs, or --all")
    reader = asked.reader()
    if reader is None:
        raise UseError("nothing has run here yet")
    try:
        chosen, waiting, costs = _look(asked, reader, job, keys, every=every)
    finally:
        reader.close()
    n = len(chosen) + len(waiting)
    if not n:
        click.echo("nothing to scope", err=True)
        raise click.exceptions.Exit(0 if every else 1)
    each = f"about ${statistics.median(costs) / 1e6:.3f} each, as before" if costs else _GUESS
    what = f"{n} {'TODO' if n == 1 else 'TODOs'} of {job}, {each}"
    if dry_run:
        click.echo(what)
        return
    if not yes:
        if not sys.stdin.isatty():
            raise UseError(f"scoping costs money ({what}): say --yes where nobody can be asked")
        click.confirm(f"Scope {what}?", abort=True, err=True)
    code = 0
    for name, args in (
        ("reset", {"job": job, "stage": "scope", "keys": chosen}),
        ("accept", {"job": job, "keys": waiting}),
    ):
        if args["keys"]:
            code = max(code, tell(apply(asked, name, args), as_json))
    raise click.exceptions.Exit(code)


def _look(
    asked: Asked, reader: Reader, job: str, keys: Sequence[str], *, every: bool
) -> tuple[list[str], list[str], list[int]]:
    """Keys to scope again, keys at a gate before their scope, and what earlier scopes cost (micro-dollars)."""
    from engine.config.resolve import Resolver
    from engine.contracts.errors import UseError

    is_old = Resolver().tool("plugins.todos.commands.scope_is_old")
    again: list[str] = []
    waiting: list[str] = []
    costs: list[int] = []
    now = time.time_ns() // 1_000_000
    for detail in _details(reader, job, keys):
        item = detail.item
        stage = next((one for one in detail.stages if one.stage == "scope"), None)
        if stage is None:
            raise UseError(f"{job} has no stage `scope`: docs/maintenance.md shows how to add it")
        if stage.cost_usd_micros:
            costs.append(stage.cost_usd_micros)
        if stage.state == "waiting" and stage.gate is not None:
            waiting.append(item.key)
        elif stage.state in ("done", "failed"):
            why = "you asked" if not every else _old(is_old, asked, detail, stage, now)
            if why:
                again.append(item.key)
                click.echo(f"  {item.key}: {why}", err=True)
        elif not every:
            reason = "it is not accepted yet" if stage.state == "blocked" else f"its scope is {stage.state}"
            click.echo(f"  {item.key}: {reason}", err=True)
    return again, waiting, costs


def _old(is_old: Any, asked: Asked, detail: ItemDetail, stage: ItemStageView, now: int) -> str | None:
    item = detail.item
    why: str | None = is_old(
        asked.root(),
        text=str(item.data.get("raw") or item.title),
        path=item.path,
        headings=item.headings,
        made_of=(stage.output or {}).get("input"),
        made_at=stage.ended_at,
        now=now,
    )
    return why


def _details(reader: Reader, job: str, keys: Sequence[str]) -> Iterator[ItemDetail]:
    from engine.contracts.errors import UseError
    from engine.contracts.filter import Term
    from engine.contracts.view import ItemQuery
    from rivus_tui.cli.listing import pages

    if not keys:
        states = Term(field="state", values=("pending", "waiting", "failed"))
        keys = [item.key for item in pages(reader, ItemQuery(job=job, terms=(states,)))]
    for key in keys:
        detail = reader.item(job, key)
        if detail is None:
            raise UseError(f"there is no item `{key}` in {job}; `rivus todo list` shows them")
        yield detail


@todo.command()
@click.argument("keys", nargs=-1)
@click.option("--apply", "do", is_flag=True, help="Do it: all of them, or KEY…; one undo takes it back.")
@job_option
@json_option
@click.pass_obj
def rules(asked: Asked, keys: tuple[str, ...], do: bool, job: str, as_json: bool) -> None:
    """Show what the rules of triage propose (`triage` of the job in jobs.yaml), with the reason of each."""
    from engine.contracts.filter import ANY, Term
    from engine.contracts.view import ItemQuery
    from rivus_tui.cli.listing import pages
    from rivus_tui.cli.output import print_json, print_table

    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return
    terms = (Term(field="rule", values=(ANY,)), Term(field="gate", values=("accept",)))
    try:
        found = [one for one in pages(reader, ItemQuery(job=job, terms=terms)) if not keys or one.key in keys]
        details = [detail for one in found if (detail := reader.item(job, one.key)) is not None]
    finally:
        reader.close()
    if do:
        told = apply(asked, "triage", {"job": job, "keys": list(keys) or [one.key for one in found]})
        raise click.exceptions.Exit(tell(told, as_json))
    rows = [(one.item.key, one.item.proposed, one.steering.proposed_why, one.item.title) for one in details]
    if as_json:
        for row in rows:
            print_json(dict(zip(("key", "proposed", "why", "title"), row, strict=True)))
        return
    print_table(("KEY", "RULE SAYS", "WHY", "TITLE"), rows)
    click.echo(f"{len(rows)} of {job}; --apply does it" if rows else "no rule proposes anything", err=True)
