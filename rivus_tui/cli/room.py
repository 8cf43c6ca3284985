"""Open the control room: the app in the main thread, the engine in its own."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from rivus_tui.cli.asked import Asked

if TYPE_CHECKING:
    from engine.facade import Engine
    from engine.store.state_dir import StateDir
    from rivus_tui.app import RivusApp

log = logging.getLogger(__name__)


def open_room(asked: Asked) -> int:
    """Open the app on this project's engine; returns the exit code.

    While another engine runs, the app looks at its state and changes nothing.
    """
    from engine.contracts.errors import OwnedError, UseError

    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise UseError(
            "the control room needs a terminal; without one use `rivus --serve`, `rivus status` or "
            "`rivus run JOB --once` (`rivus --help` lists all)"
        )
    from engine.facade import Engine
    from rivus_tui.cli.logs import log_to_file

    project = asked.project()
    state = asked.state_dir()
    state.create()
    log_to_file(state)
    engine: Engine | None = Engine(project, state, mode="app")
    note = None
    try:
        assert engine is not None
        engine.start()
    except OwnedError as owned:
        engine, note = None, f"READ-ONLY: the engine with pid {owned.pid or '?'} owns this project"
    return _open(asked, state, engine, note)


def _open(asked: Asked, state: StateDir, engine: Engine | None, note: str | None) -> int:
    from engine.contracts.errors import StateError
    from engine.kit.clock import SystemClock
    from rivus_tui.app import RivusApp

    reader = asked.reader()
    if reader is None:
        raise StateError(f"{state.database}: there is no state yet; the other engine is still starting")
    root = asked.root()
    app = RivusApp(engine=engine, reader=reader, project=root.name, clock=SystemClock(), note=note, root=root)
    try:
        with _signals(app, engine):
            app.run()
    finally:
        reader.close()
        if engine is not None:
            engine.stop_and_wait(drain=False)
    if (app.return_code or 0) > 128:
        # A signal: the terminal may be gone, and whoever sent it knows.
        return app.return_code or 0
    if app.return_code:
        click.echo(f"the control room ended on an error; its traceback is in {state.log}", err=True)
    elif app.summary:
        click.echo(app.summary)
    return app.return_code or 0


@contextmanager
def _signals(app: RivusApp, engine: Engine | None) -> Iterator[None]:
    """SIGTERM and SIGHUP (the terminal is gone) stop the engine and end the app; Textual handles SIGINT itself."""

    def stop(number: int, _frame: FrameType | None) -> None:
        log.warning("%s: stopping", signal.Signals(number).name)
        if engine is not None:
            engine.ask_stop(drain=True)
        app.call_later(app.exit, 128 + number, return_code=128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
