"""`rivus stop` and `rivus reload`: what is said to an engine that runs."""

from __future__ import annotations

import sys
import time
from typing import Final

import click

from engine.contracts.commands import CommandOutcome
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import attach
from rivus_tui.cli.output import json_option, tell

_LOOK_S: Final = 0.1


@click.command()
@click.option("--now", is_flag=True, help="Do not wait for what runs: it is released and starts again next time.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def stop(asked: Asked, now: bool, yes: bool, as_json: bool) -> None:
    """Stop the engine of this project, wherever it runs, and wait until it has ended.

    What runs may end within the grace period (`settings: grace`). Nothing is lost either way.
    """
    from engine.contracts.errors import UseError

    state = asked.state_dir()
    owner = state.owner()
    if owner is None:
        raise click.exceptions.Exit(tell(CommandOutcome(ok=True, message="no engine runs here"), as_json))
    if not yes:
        if not sys.stdin.isatty():
            raise UseError("`stop` ends the work of everybody attached; say --yes to do it without being asked")
        click.confirm(f"Stop the engine of process {owner.pid} ({owner.mode})?", abort=True)
    remote = attach(state)
    if remote is None:
        raise click.exceptions.Exit(tell(CommandOutcome(ok=True, message="the engine has ended"), as_json))
    try:
        outcome = remote.command_and_wait("stop", {"drain": not now})
    finally:
        remote.close()
    if outcome.ok:
        while (still := state.owner()) is not None and still.epoch == owner.epoch:
            time.sleep(_LOOK_S)
    raise click.exceptions.Exit(tell(outcome, as_json))


@click.command()
@json_option
@click.pass_obj
def reload(asked: Asked, as_json: bool) -> None:
    """Let the running engine read jobs.yaml, and the code of its handlers, again."""
    remote = attach(asked.state_dir())
    if remote is None:
        message = "no engine runs here; the next one reads jobs.yaml when it starts"
        raise click.exceptions.Exit(tell(CommandOutcome(ok=True, message=message), as_json))
    try:
        outcome = remote.command_and_wait("reload", {})
    finally:
        remote.close()
    raise click.exceptions.Exit(tell(outcome, as_json))
