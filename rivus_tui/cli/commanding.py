"""Run a command of a person: through the engine that runs, or, where none does, take the lock, apply, leave."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.contracts.commands import CommandOutcome
from rivus_tui.cli.asked import Asked

if TYPE_CHECKING:
    from engine.remote import RemoteEngine
    from engine.store.state_dir import StateDir

PATIENCE_S: Final = 10.0
"""How long an engine that starts, or another command line that is at work, is waited for."""
_LOOK_S: Final = 0.05

Then = Callable[[CommandOutcome], CommandOutcome]


def _itself(outcome: CommandOutcome) -> CommandOutcome:
    return outcome


def apply(
    asked: Asked, name: str, args: Mapping[str, Any], *, then: Then = _itself, reads_code: bool = False
) -> CommandOutcome:
    """Apply one command; `then` is called with its outcome while the engine that carried it out is still there.

    `reads_code`: the command is about the code as it is on disk now, whoever looked at it last.
    """
    from engine.contracts.errors import OwnedError

    state = asked.state_dir()
    until = time.monotonic() + PATIENCE_S
    while True:
        remote = attach(state, until=until)
        if remote is not None:
            try:
                return then(remote.command_and_wait(name, args))
            finally:
                remote.close()
        try:
            return _apply_here(asked, state, name, args, then, reads_code)
        except OwnedError:
            # An engine has started between the look and the start.
            if time.monotonic() >= until:
                raise


def attach(state: StateDir, *, until: float | None = None) -> RemoteEngine | None:
    """Attach to the engine that runs; None when none does. One that is starting, or applies a single command, is waited
    for until `until` (monotonic seconds); OwnedError when it then still does not answer."""
    from engine.contracts.errors import EngineStopped, OwnedError
    from engine.remote import RemoteEngine

    until = time.monotonic() + PATIENCE_S if until is None else until
    while True:
        owner = state.owner()
        if owner is None:
            return None
        try:
            return RemoteEngine(state)
        except EngineStopped as error:
            if time.monotonic() >= until:
                raise OwnedError(
                    f"the engine (pid {owner.pid}, {owner.state}) does not answer: {error}; "
                    "look at it with `rivus status`, or stop that process",
                    pid=owner.pid,
                    since=owner.started_at,
                ) from error
            time.sleep(_LOOK_S)


def _apply_here(
    asked: Asked, state: StateDir, name: str, args: Mapping[str, Any], then: Then, reads_code: bool
) -> CommandOutcome:
    """Be the engine for one command."""
    from engine.facade import Engine
    from rivus_tui.cli.logs import log_to_file

    engine = Engine(asked.project(), state, mode="command", reads_code=reads_code)
    engine.start()
    log_to_file(state)
    try:
        return then(engine.command_and_wait(name, args))
    finally:
        engine.stop_and_wait(drain=False)
