"""Open the control room: the app in the main thread, the engine in its own, started after the first paint."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.kit.signals import told_of
from rivus_tui.cli.asked import Asked

if TYPE_CHECKING:
    from engine.store.reader import Reader
    from engine.store.state_dir import StateDir
    from rivus_tui.app import RivusApp
    from rivus_tui.cli.late import LateEngine, Started

log = logging.getLogger(__name__)

_APP_ENDS_S = 3.0
"""How long the app may take to end after a signal, once the engine has stopped."""


def open_room(asked: Asked) -> int:
    """Open the app on this project's engine; returns the exit code.

    Where an engine runs already, the app attaches to it. With `--read-only` it looks and changes nothing.
    """
    # Nothing made until the first paint becomes garbage; collecting meanwhile costs a tenth of the time to it.
    gc.disable()
    from engine.contracts.errors import StateError, UseError

    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise UseError(
            "the control room needs a terminal; without one use `rivus --serve`, `rivus status` or "
            "`rivus run JOB --once` (`rivus --help` lists all)"
        )
    # Exported sizes, as `docker exec -e COLUMNS=…` leaves them, would win over the terminal's own for ever.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    state = asked.state_dir()
    state.create()
    if not asked.read_only and state.owner() is None:
        asked.settle_trust()
    # Until the log is open, after the first paint, nothing may print over the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    reader = _reader(asked, state) if state.owner() is None and not asked.read_only else asked.reader()
    if reader is None and asked.read_only:
        raise StateError(f"{state.database}: there is nothing to look at yet; open it once without --read-only")
    if reader is None:
        raise StateError(f"{state.database}: there is no state yet; the other engine is still starting")
    return _open(asked, state, reader)


def _reader(asked: Asked, state: StateDir) -> Reader:
    """A reader of this project's state, which is made at the first start and brought up to date after an upgrade."""
    from engine.store.migrate import OlderState

    try:
        reader = asked.reader()
    except OlderState:
        reader = None
    if reader is None:
        _prepare(state)
        reader = asked.reader()
    assert reader is not None
    return reader


def _prepare(state: StateDir) -> None:
    from engine.kit.clock import SystemClock
    from engine.store.migrate import prepare
    from engine.store.state_dir import EngineLock

    lock = EngineLock(state, mode="app", now=SystemClock().now())
    try:
        prepare(state.database, doubt=lock.was_cut)
        lock.was_cut = False
    finally:
        lock.release()


def _open(asked: Asked, state: StateDir, reader: Reader) -> int:
    from engine.contracts.errors import UseError
    from engine.kit.clock import SystemClock
    from rivus_tui.app import RivusApp
    from rivus_tui.cli.late import LateEngine
    from rivus_tui.cli.own_keys import own_keys
    from rivus_tui.links import place_of
    from rivus_tui.memory import Memory, recall

    root = asked.root()
    failure: list[Exception] = []

    def failed(error: Exception) -> None:
        log.error("the engine did not start", exc_info=error)
        failure.append(error)
        app.call_later(app.exit, 1, return_code=1)

    def painted() -> None:
        from rivus_tui.cli.logs import log_to_file

        gc.enable()
        gc.freeze()
        log_to_file(state)
        if engine is not None:
            engine.begin()

    engine = None if asked.read_only else LateEngine(lambda: _started(asked, state), failed)
    memory = Memory(path=state.room) if asked.fresh else recall(state.room)
    memory.theme = asked.theme or memory.theme
    app = RivusApp(
        engine=engine,
        reader=reader,
        project=root.name,
        clock=SystemClock(),
        note="READ-ONLY: this room only looks" if asked.read_only else None,
        root=root,
        config=asked.config_file(),
        painted=painted,
        keymap=own_keys(),
        memory=memory,
        place=place_of(asked.link) if asked.link is not None else None,
        active=None if asked.read_only else lambda: _touch(state.path / "activity"),
    )
    if asked.theme is not None and asked.theme not in app.available_themes:
        raise UseError(f"there is no theme `{asked.theme}`; there are: {', '.join(sorted(app.available_themes))}")
    try:
        with _signals(app, engine):
            app.run(mouse=asked.mouse)
    finally:
        reader.close()
        if engine is not None:
            engine.finish()
    if failure:
        raise failure[0]
    if (app.return_code or 0) > 128:
        # A signal: the terminal may be gone, and whoever sent it knows.
        return app.return_code or 0
    if app.return_code:
        from rivus_tui.cli.crash import write_crash

        where = f"see {state.log}" if app.failure is None else write_crash(app.failure, state.path)
        sys.stderr.write(f"the control room ended on an error; {where}\n")
    elif app.summary:
        sys.stdout.write(f"{app.summary}\n")
    return app.return_code or 0


def _touch(path: Path) -> None:
    """Leave the time of the last key where the idle probe looks for it (`plugins/idle/activity.py`)."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        log.warning("the time of the last key cannot be noted: %s", error)


def _started(asked: Asked, state: StateDir) -> Started:
    """An engine of this process; or, where one runs already, the door to that one."""
    from engine.contracts.errors import OwnedError
    from rivus_tui.cli.commanding import PATIENCE_S, attach

    until = time.monotonic() + PATIENCE_S
    while True:
        remote = attach(state, until=until)
        if remote is not None:
            return remote
        # Here and not above: a room that is attached does without the whole engine, and its 10 MB.
        from engine.facade import Engine

        engine = Engine(asked.project(), state, mode="app")
        try:
            engine.start()
            return engine
        except OwnedError:
            # Another one has started between the look and the start.
            if time.monotonic() >= until:
                raise


def _end_anyway(engine: LateEngine | None, number: int) -> None:
    """End the process once the engine has stopped: an app whose terminal is gone may wait for ever to write to it."""
    if engine is not None:
        engine.finish()
    time.sleep(_APP_ENDS_S)
    log.warning("the app did not end by itself")
    logging.shutdown()
    os._exit(128 + number)


@contextmanager
def _signals(app: RivusApp, engine: LateEngine | None) -> Iterator[None]:
    """SIGTERM and SIGHUP (the terminal is gone) stop the engine and end the app; Textual handles SIGINT itself."""

    left = threading.Event()

    def stop(number: signal.Signals) -> None:
        if number == signal.SIGHUP and left.is_set():
            return  # a shell passes on what the terminal sends as well; that is nobody who insists
        left.set()
        log.warning("%s: stopping", number.name)
        if engine is not None:
            engine.ask_stop(drain=True)
        app.call_later(app.exit, 128 + number, return_code=128 + number)
        threading.Thread(target=_end_anyway, args=(engine, number), name="end", daemon=True).start()

    with told_of((signal.SIGTERM, signal.SIGHUP), stop):
        if not sys.stdin.isatty():
            signal.raise_signal(signal.SIGHUP)  # it went during the start, and whoever started this ignores SIGHUP
        yield
