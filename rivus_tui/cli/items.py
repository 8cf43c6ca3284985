"""`rivus items list|show|retry|start|cancel|prioritise|accept|drop|snooze|answer|add|edit|merge|again|data`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from engine.kit.safe_text import safe_block, safe_line
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.item_changes import again, data, detail_of
from rivus_tui.cli.listing import filter_option, list_items, terms
from rivus_tui.cli.many import chosen, steer
from rivus_tui.cli.output import item_object, json_option, local_time, print_json, put_off, tell
from rivus_tui.cli.times import moment

if TYPE_CHECKING:
    from engine.contracts.view import ItemStageView

STATES = ("pending", "waiting", "failed", "done", "skipped", "snoozed", "dropped", "gone")


@click.group()
def items() -> None:
    """List, show and steer items."""


@items.command("list")
@click.argument("job", required=False)
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only these states.")
@click.option("--text", default="", help="Only items whose key or title contains this.")
@filter_option
@click.option("--order", type=click.Choice(["created", "updated", "key", "place", "priority"]), default="created")
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option("--limit", type=click.IntRange(min=1), help="At most this many.")
@json_option
@click.pass_obj
def list_command(
    asked: Asked,
    job: str | None,
    states: tuple[Any, ...],
    text: str,
    filter_text: str,
    order: Any,
    reverse: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """List the items of JOB, or of all jobs."""
    from engine.contracts.view import ItemQuery

    query = ItemQuery(job=job, terms=terms(states, text, filter_text), order=order, reverse=reverse)
    list_items(asked, query, limit=limit, as_json=as_json)


@items.command()
@click.argument("job")
@click.argument("key")
@json_option
@click.pass_obj
def show(asked: Asked, job: str, key: str, as_json: bool) -> None:
    """Show one item of JOB: its stages, results, failed attempts and events."""
    import yaml

    from engine.contracts.errors import UseError

    detail = detail_of(asked, job, key)
    if detail is None:
        raise UseError(
            f"there is no item `{safe_line(key, 100)}` in {safe_line(job, 100)}; `rivus items list {job}` shows them"
        )
    if as_json:
        print_json(
            {
                **item_object(detail.item),
                "steering": detail.steering,
                "origin": detail.origin,
                "stages": detail.stages,
                "failed_attempts": detail.attempts,
                "events": detail.events,
            }
        )
        return
    item = detail.item
    click.echo(safe_line(item.title))
    place = f"  {item.path}:{item.line}" if item.path and item.line else f"  {item.path}" if item.path else ""
    priority = "" if item.priority is None else f"  P{item.priority}"
    click.echo(f"{item.job}  {safe_line(item.key)}  {item.state}{priority}  {safe_line(place)}")
    steering = detail.steering
    for label, text in (
        ("priority", steering.priority_why),
        ("held", steering.held),
        ("comes back", local_time(steering.next_due_at)),
        ("put off", ": ".join(part for part in (put_off(item), item.why) if part) if put_off(item) else ""),
    ):
        if text:
            click.echo(safe_line(f"  {label}: {text}"))
    origin = detail.origin
    if origin.parent is not None:
        click.echo(safe_line(f"  part of: {origin.parent.key}  {origin.parent.title}"))
    for name, values in origin.provenance.items():
        click.echo(safe_line(f"  {name}: {', '.join(values)}"))
    for child in origin.children:
        click.echo(safe_line(f"  child: {child.key}  {child.state}  {child.title}"))
    for stage in detail.stages:
        ended = local_time(stage.ended_at)
        line = f"  {stage.stage:12} {stage.state:8} {ended:19}  attempts {stage.attempts}/{stage.max_attempts}"
        why = told(stage)
        click.echo(line if why is None else f"{line}  {safe_line(why)}")
        for artifact in stage.artifacts:
            click.echo(f"      {safe_line(artifact.type)}  {safe_line(artifact.path)}  ({artifact.size:,} bytes)")
    for stage in detail.stages:
        if stage.output:
            click.echo(f"\n{stage.stage}:")
            click.echo(safe_block(yaml.safe_dump(dict(stage.output), sort_keys=False, allow_unicode=True)).rstrip())
    for attempt in detail.attempts[:3]:
        click.echo(f"\nattempt {attempt.attempt} at {attempt.stage} failed {local_time(attempt.ended_at)}")
        click.echo(safe_block(attempt.traceback or f"{attempt.error_type}: {attempt.message}"))
    for log in origin.logs[:3]:
        click.echo(f"\nlog of attempt {log.fence} at {log.stage}")
        for at, level, text in log.lines[-20:]:
            click.echo(f"{local_time(at)}  {level:8} {safe_line(text)}")
    for old in origin.replaced:
        what = f"replaced by attempt {old.replaced_by}" if old.replaced_by else "dropped"
        click.echo(
            f"result of attempt {old.fence} at {old.stage} {what}: {old.output_hash[:12]} {local_time(old.ended_at)}"
        )
    for event in reversed(detail.events[:20]):
        click.echo(f"{local_time(event.at)}  {event.stage or '':12}  {safe_line(event.text)}")


def told(stage: ItemStageView) -> str | None:
    """Why a stage is as it is; of one that runs, how far it is."""
    progress = stage.progress
    if progress is None:
        return stage.why
    part = f"{progress.done:,}" if progress.total is None else f"{progress.done:,} of {progress.total:,}"
    return f"{part} {progress.text}".rstrip()


def _verb(name: str, words: str) -> click.Command:
    """A verb that takes items and nothing else."""

    @click.command(name, help=words)
    @chosen
    @json_option
    @click.pass_obj
    def verb(asked: Asked, job: str | None, keys: tuple[str, ...], where: str | None, yes: bool, as_json: bool) -> None:
        raise click.exceptions.Exit(steer(asked, name, job, keys, where, {}, yes=yes, as_json=as_json))

    return verb


items.add_command(_verb("retry", "Try the failed stages of these items again, with fresh attempts."))
items.add_command(_verb("accept", "Open the gate that these items wait at."))
items.add_command(_verb("start", "Let these items go before all others, now; what keeps one from starting is said."))


@items.command()
@chosen
@json_option
@click.pass_obj
def cancel(asked: Asked, job: str | None, keys: tuple[str, ...], where: str | None, yes: bool, as_json: bool) -> None:
    """Skip what is left of these items; what runs is stopped."""
    from engine.contracts.errors import UseError

    if not yes and where is None:
        if not sys.stdin.isatty():
            raise UseError("cancelling loses work that runs: say --yes where nobody can be asked")
        n = len(keys)
        click.confirm(f"Cancel {n} {'item' if n == 1 else 'items'} of {job}?", abort=True, err=True)
    raise click.exceptions.Exit(steer(asked, "cancel", job, keys, where, {}, yes=yes, as_json=as_json))


@items.command()
@chosen
@click.option("--why", default="", help="Why not.")
@json_option
@click.pass_obj
def drop(
    asked: Asked, job: str | None, keys: tuple[str, ...], where: str | None, yes: bool, why: str, as_json: bool
) -> None:
    """Won't do: skip what is left; only a person brings the item back."""
    more = {"why": why} if why or where is None else {}
    raise click.exceptions.Exit(steer(asked, "drop", job, keys, where, more, yes=yes, as_json=as_json))


@items.command()
@chosen
@click.option("--until", required=True, metavar="WHEN", help="2h, 3d, 1w, or 2027-01-31 or 2027-01-31T09:00.")
@click.option("--why", default="", help="Why; shown beside its time.")
@json_option
@click.pass_obj
def snooze(
    asked: Asked,
    job: str | None,
    keys: tuple[str, ...],
    where: str | None,
    yes: bool,
    until: str,
    why: str,
    as_json: bool,
) -> None:
    """Put these items off: nothing of them runs until that time."""
    more = {"until": moment(until), **({"why": why} if why else {})}
    raise click.exceptions.Exit(steer(asked, "snooze", job, keys, where, more, yes=yes, as_json=as_json))


@items.command()
@chosen
@click.option("--priority", required=True, type=click.Choice(["0", "1", "2", "3", "none"]), help="P0 is urgent.")
@json_option
@click.pass_obj
def prioritise(
    asked: Asked, job: str | None, keys: tuple[str, ...], where: str | None, yes: bool, priority: str, as_json: bool
) -> None:
    """Set the priority of these items; it stays whatever their source says."""
    more = {"priority": None if priority == "none" else int(priority)}
    raise click.exceptions.Exit(steer(asked, "prioritise", job, keys, where, more, yes=yes, as_json=as_json))


@items.command()
@click.argument("job")
@click.argument("title")
@click.option("--priority", type=click.Choice(["0", "1", "2", "3"]), help="P0 is urgent.")
@json_option
@click.pass_obj
def add(asked: Asked, job: str, title: str, priority: str | None, as_json: bool) -> None:
    """Put in an item of your own; it waits at the gate of its job like every other."""
    args = {"job": job, "title": title, **({} if priority is None else {"priority": int(priority)})}
    raise click.exceptions.Exit(tell(apply(asked, "add", args), as_json))


def _verb_with(name: str, value: str, metavar: str, about: str, words: str) -> click.Command:
    """A verb that takes items of one job, and says one thing about all of them."""

    @click.command(name, help=words)
    @click.argument("job")
    @click.argument("keys", nargs=-1, required=True)
    @click.option(f"--{value}", "said", required=True, metavar=metavar, help=about)
    @json_option
    @click.pass_obj
    def verb(asked: Asked, job: str, keys: tuple[str, ...], said: str, as_json: bool) -> None:
        raise click.exceptions.Exit(tell(apply(asked, name, {"job": job, "keys": list(keys), value: said}), as_json))

    return verb


_ANSWER = "Answer what a stage of these items asked; it starts again."
_EDIT = "Call items otherwise; what their source says stays with them."
_MERGE = "Say that items are the same as another one: they are dropped, and it remembers where they stood."
items.add_command(_verb_with("answer", "answer", "TEXT", "The answer.", _ANSWER))
items.add_command(_verb_with("edit", "title", "TEXT", "The new title.", _EDIT))
items.add_command(_verb_with("merge", "into", "KEY", "The one that stays.", _MERGE))
items.add_command(again)
items.add_command(data)
