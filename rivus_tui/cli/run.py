"""`rivus run JOB`: one job, headless."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from engine.kit.safe_text import safe_line
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, print_json, tell
from rivus_tui.cli.times import duration

if TYPE_CHECKING:
    from engine.contracts.spec import JobSpec, ProjectSpec
    from engine.contracts.view import JobView, RunView
    from engine.facade import Engine
    from engine.remote import RemoteEngine
    from engine.store.reader import Reader

_PROBLEMS = 20
"""So many are named after a run."""
_LOOK_S = 0.1
"""How long to wait for the end of an engine that stops."""


@click.command()
@click.argument("job")
@click.option("--once", is_flag=True, help="Discover, run until nothing is left to run, report and exit.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Start at most N items (with --once).")
@click.option("--discover-only", is_flag=True, help="Only discover: find items, run no stage (with --once).")
@click.option(
    "--wait", "wait_s", callback=duration, default="0s", metavar="30s", help="Also wait for retries due so soon."
)
@click.option("--dry-run", is_flag=True, help="Run the handler of --stage on --item and store nothing.")
@click.option("--stage", metavar="STAGE", help="The stage to try with --dry-run.")
@click.option("--item", metavar="KEY", help="The item to try with --dry-run.")
@json_option
@click.pass_obj
def run(
    asked: Asked,
    job: str,
    once: bool,
    limit: int | None,
    discover_only: bool,
    wait_s: float,
    dry_run: bool,
    stage: str | None,
    item: str | None,
    as_json: bool,
) -> None:
    """Run one job headless: its discovery at once, then its stages.

    With --once it ends when nothing is ready or running (items at a gate are left for a person) and reports: found and
    new of this discovery, the job's items by state, seconds, rate (stage executions a second) and cost (USD). Exit 1 if
    an item or the discovery failed, 2 if the job is broken.
    """
    if dry_run:
        raise click.exceptions.Exit(try_stage(asked, job, stage, item, as_json=as_json))
    if stage is not None or item is not None:
        raise click.UsageError("--stage and --item belong to --dry-run")
    if (limit is not None or discover_only) and not once:
        raise click.UsageError("--limit and --discover-only belong to --once")
    code = run_job(asked, job, once=once, limit=limit, work=not discover_only, wait_s=wait_s, as_json=as_json)
    raise click.exceptions.Exit(code)


def _spec(project: ProjectSpec, job: str) -> JobSpec:
    from engine.contracts.errors import UseError

    spec = project.job(job)
    if spec is None:
        names = ", ".join(known.name for known in project.jobs)
        raise UseError(f"there is no job `{job}`; there are: {names or 'none'}")
    if spec.broken:
        raise UseError(f"job {job} is broken: {spec.broken}")
    return spec


def run_job(
    asked: Asked,
    job: str,
    *,
    once: bool,
    limit: int | None = None,
    work: bool = True,
    wait_s: float = 0.0,
    as_json: bool,
) -> int:
    """Run one job; returns the exit code."""
    from engine.contracts.errors import EngineStopped
    from engine.facade import Engine
    from engine.serve import serve as serve_engine
    from rivus_tui.cli.commanding import attach
    from rivus_tui.cli.logs import log_to_file

    project = asked.project()
    spec = _spec(project, job)
    state = asked.state_dir()
    while once and limit is None and work and (remote := attach(state)) is not None:
        try:
            return _elsewhere(remote, asked, spec, wait_s=wait_s, as_json=as_json)
        except EngineStopped:
            # It ended before it was done with what we asked: another one does it, or we do.
            time.sleep(_LOOK_S)
    engine = Engine(project, state, mode="once" if once else "serve", only={job}, limit=limit, work=work)
    began = time.monotonic()
    state.create()
    echo = log_to_file(state, echo=not once)
    engine.start(discover=True)
    if not once:
        return serve_engine(engine, say=echo.say, ready=f"rivus runs {job}")
    return _once(engine, asked, spec, began, wait_s=wait_s, as_json=as_json)


def try_stage(asked: Asked, job: str, stage: str | None, key: str | None, *, as_json: bool) -> int:
    """Run one handler and store nothing; returns the exit code, 1 when it raised or failed."""
    from engine.contracts.errors import UseError
    from engine.dry_run import dry_run, find_stage
    from engine.kit.safe_text import safe_block, safe_line

    project = asked.project()
    spec = _spec(project, job)
    if key is None:
        raise UseError(f"say on which item with --item KEY; `rivus items list {job}` shows them")
    found = find_stage(spec, stage)
    reader = asked.reader()
    detail = None
    if reader is not None:
        try:
            detail = reader.item(job, key)
        finally:
            reader.close()
    if detail is None:
        raise UseError(f"there is no item `{safe_line(key, 100)}` in {job}; `rivus items list {job}` shows them")
    told = dry_run(project, spec, found, detail)
    bad = "raised" in told or told["outcome"]["kind"] in ("fail", "none")
    if as_json:
        print_json(told)
    elif "raised" in told:
        click.echo(safe_block(told["traceback"] or f"{told['raised']}: {told['message']}"), err=True)
    else:
        import yaml

        outcome = told["outcome"]
        click.echo(f"{outcome.pop('kind')}" + (f", wrote {', '.join(told['artifacts'])}" if told["artifacts"] else ""))
        click.echo(safe_block(yaml.safe_dump(outcome, sort_keys=False, allow_unicode=True)).rstrip())
    return 1 if bad else 0


def _elsewhere(remote: RemoteEngine, asked: Asked, spec: JobSpec, *, wait_s: float, as_json: bool) -> int:
    """Let the engine that runs do it, and report what it did; interrupted, it goes on without us."""
    reader = asked.reader()
    assert reader is not None
    try:
        since = time.time_ns() // 1_000_000
        executed, cost = _so_far(reader, spec.name, since)
        began = time.monotonic()
        outcome = remote.command_and_wait("run", {"job": spec.name})
        if not outcome.ok:
            return tell(outcome, as_json)
        remote.ask_drained(spec.name, wait_s=wait_s).result()
        seconds = time.monotonic() - began
        executed_now, cost_now = _so_far(reader, spec.name, since)
        return _report(reader, spec, seconds, executed_now - executed, cost_now - cost, as_json=as_json)
    except KeyboardInterrupt:
        click.echo("the engine goes on with it", err=True)
        return 130
    finally:
        remote.close()
        reader.close()


def _so_far(reader: Reader, job: str, since: int) -> tuple[int, int]:
    """Attempts of a job that ended since the beginning of that hour, and what they cost (micro-dollars)."""
    (report,) = reader.report(job, since)
    return sum(sum(stage.ended.values()) for stage in report.stages), report.usd_micros


def _once(engine: Engine, asked: Asked, spec: JobSpec, began: float, *, wait_s: float, as_json: bool) -> int:
    from engine.serve import stopped_by_signal

    with stopped_by_signal(engine, say=lambda line: click.echo(line, err=True)) as asked_to_stop:
        engine.wait_drained(wait_s=wait_s)
        was_stopped, died = engine.stop_was_asked, engine.stopped.is_set()
        seconds = time.monotonic() - began
        executed, cost = engine.totals()
        engine.stop_and_wait(drain=True)
    if asked_to_stop.is_set():
        return 130
    reader = asked.reader()
    assert reader is not None
    try:
        code = _report(reader, spec, seconds, executed, cost, as_json=as_json)
    finally:
        reader.close()
    if was_stopped or died:
        why = "was stopped" if was_stopped else f"ended on an error ({asked.state_dir().log})"
        click.echo(f"the engine {why} before {spec.name} was done", err=True)
        return 1
    return code


def _report(reader: Reader, spec: JobSpec, seconds: float, executed: int, cost: int, *, as_json: bool) -> int:
    view: JobView = next(view for view in reader.jobs() if view.name == spec.name)
    last = view.last_run
    found, new = (last.found, last.new) if last is not None else (0, 0)
    report = {
        "job": spec.name,
        "found": found,
        "new": new,
        "done": view.items.get("done", 0),
        "failed": view.items.get("failed", 0),
        "later": view.count("later"),
        "waiting": view.items.get("waiting", 0),
        "skipped": view.items.get("skipped", 0),
        "gone": view.items.get("gone", 0),
        "seconds": round(seconds, 3),
        "rate": round(executed / seconds, 1) if seconds > 0 else 0.0,
        "cost": cost / 1_000_000,
    }
    failed_run = last is not None and last.state == "failed"
    if as_json:
        print_json(report)
    else:
        states = ", ".join(
            f"{report[name]} {name}" for name in ("done", "failed", "later", "waiting", "gone") if report[name]
        )
        stages = "1 stage" if executed == 1 else f"{executed} stages"
        click.echo(
            f"{spec.name}: found {found}, {new} new; {states or 'no items'}; "
            f"{stages} in {seconds:.2f} s ({report['rate']:,.0f}/s), ${report['cost']:.2f}"
        )
    if last is not None and last.problems:
        _tell_problems(reader, spec.name, last)
    if failed_run and last is not None:
        click.echo(f"the discovery of {spec.name} failed: {last.error}", err=True)
    return 1 if failed_run or report["failed"] else 0


def _tell_problems(reader: Reader, job: str, run: RunView) -> None:
    """Name what the discovery could not read: it went on without it."""
    events = [event for event in reader.events_page(None, 1_000, job) if event.at >= run.started_at]
    told = [event.text for event in reversed(events) if event.kind == "run.problem"][:_PROBLEMS]
    for text in told:
        click.echo(safe_line(text), err=True)
    if run.problems > len(told):
        click.echo(f"… and {run.problems - len(told)} more; `rivus events --job {job}` has them", err=True)
