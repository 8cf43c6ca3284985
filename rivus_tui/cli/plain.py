"""`rivus --plain`: what the screens say, as lines without shapes or colours, for screen readers and dumb terminals.

It starts the engine like the control room does, says how things stand, and then what happens, one line each. Every deed
has its verb on the command line (`rivus keys` lists them); this only tells.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from engine.kit.signals import told_of
from rivus_tui.cli.asked import Asked

if TYPE_CHECKING:
    from engine.contracts.spec import ProjectSpec
    from engine.contracts.view import EventView, JobView
    from engine.store.reader import Reader

_LOOK_S: Final = 1.0
_PAGE: Final = 500


def tell(asked: Asked) -> int:
    """Tell until Ctrl+C, or until the engine that it has started was stopped; returns the exit code."""
    state = asked.state_dir()
    state.create()
    # First, for it may ask whether the code is trusted, and Ctrl+C is an answer to that.
    project = asked.project() if state.owner() is None and not asked.read_only else None
    stop = threading.Event()
    with told_of((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), lambda _: stop.set()):
        return _tell(asked, project, stop)


def _tell(asked: Asked, project: ProjectSpec | None, stop: threading.Event) -> int:
    from engine.facade import Engine

    engine = reader = None
    if project is not None:
        engine = Engine(project, asked.state_dir(), mode="app")
        engine.start()
    try:
        reader = asked.reader()
        if reader is None:
            click.echo("Nothing has run here yet.")
            return 0
        for line in standing(reader):
            click.echo(line)
        click.echo("What happens from now on. Control C leaves.")
        seen = max((event.id for event in reader.events_page(None, 1)), default=0)
        while not stop.is_set():
            while page := reader.events_after(seen, _PAGE):
                for event in page:
                    if (told := of_note(event)) is not None:
                        click.echo(told)
                seen = page[-1].id
            if engine is not None and engine.stopped.is_set():
                click.echo("The engine has ended.")
                return 0 if engine.stop_was_asked else 1
            stop.wait(_LOOK_S)
        return 0
    finally:
        if reader is not None:
            reader.close()
        if engine is not None:
            engine.stop_and_wait(drain=False)


def standing(reader: Reader) -> Iterator[str]:
    """Say how the project and each of its jobs stand, and what waits for a person."""
    from engine.contracts.view import ItemQuery
    from engine.kit.safe_text import safe_line
    from engine.rules.filters import parse

    status = reader.status()
    engine = "no engine runs" if status.engine is None else f"an engine runs, process {status.engine.pid}"
    yield f"Project {safe_line(status.project)}: {engine}."
    yield f"{status.running} running, {status.ready} ready, {status.failed} failed, {status.waiting} wait for a person."
    if status.problem:
        yield f"Attention: {safe_line(status.problem)}"
    for job in reader.jobs():
        yield _job(job)
    waiting = ItemQuery(terms=parse("gate:*").terms, order="place")
    total = reader.items_count(waiting)
    if total:
        waits = "1 item waits" if total == 1 else f"{total:,} items wait"
        yield f"{waits} for you{'; the first ten' if total > 10 else ''}:"
    for item in reader.items_page(waiting, None, 10):
        place = f", {item.path} line {item.line}" if item.path and item.line else ""
        yield f"{safe_line(item.title)}. Job {item.job}, key {safe_line(item.key)}{safe_line(place)}."


def _job(job: JobView) -> str:
    from engine.kit.safe_text import safe_line

    counts = ", ".join(f"{number} {state}" for state, number in job.items.items() if number) or "no items"
    why = f": {safe_line(job.why)}" if job.why else ""
    held = "".join(f" {safe_line(hold.why)}." for hold in job.holds if hold.gate != "job")
    return f"Job {safe_line(job.name)} is {job.state}{why}. {counts}.{held}"


def of_note(event: EventView) -> str | None:
    """Return an event as a sentence; None for what goes well many times a second."""
    from engine.kit.safe_text import safe_line

    if event.level in ("debug", "info") and event.kind == "stage.done":
        return None
    level = {"warning": "Warning: ", "error": "Error: "}.get(event.level, "")
    where = ", ".join(safe_line(part) for part in (event.job, event.stage, event.key) if part)
    return f"{level}{safe_line(event.text)}{f' ({where})' if where else ''}"
