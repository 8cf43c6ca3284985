"""Run a command of a person where no engine runs: take the lock, apply, leave. With one running, that exits 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts.commands import CommandOutcome
from rivus_tui.cli.asked import Asked


def apply(asked: Asked, name: str, args: Mapping[str, Any]) -> CommandOutcome:
    """Apply one command; OwnedError names the engine that runs."""
    from engine.facade import Engine
    from rivus_tui.cli.logs import log_to_file

    state = asked.state_dir()
    engine = Engine(asked.project(), state, mode="command")
    engine.start()
    log_to_file(state)
    try:
        return engine.command_and_wait(name, args)
    finally:
        engine.stop_and_wait(drain=False)
