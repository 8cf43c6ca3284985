"""`rivus engines`: which engines of this user run, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, local_time, print_json, print_table

if TYPE_CHECKING:
    from engine.contracts.view import EngineView
    from engine.store.state_dir import StateDir


@click.command()
@json_option
@click.pass_obj
def engines(asked: Asked, as_json: bool) -> None:
    """List the engines that run: those of every project, and the one of --state.

    Engines with a state directory of their own (--state DIR) are only found when that is given.
    """
    found = sorted(_running(asked), key=lambda pair: pair[1].started_at)
    if as_json:
        for state, engine in found:
            print_json({"state_dir": str(state.path), "engine": engine})
        return
    if not found:
        click.echo("no engine runs", err=True)
    print_table(
        ("PID", "MODE", "STATE", "SINCE", "STATE DIRECTORY"),
        [(engine.pid, engine.mode, engine.state, local_time(engine.started_at), state.path) for state, engine in found],
    )


def _running(asked: Asked) -> Iterator[tuple[StateDir, EngineView]]:
    import platformdirs

    from engine.store.state_dir import StateDir

    here = asked.state_dir()
    home = platformdirs.user_state_path("rivus")
    others = (StateDir(path) for path in home.iterdir() if path.is_dir()) if home.is_dir() else ()
    for state in {state.path: state for state in (here, *others)}.values():
        engine = state.owner()
        if engine is not None:
            yield state, engine
