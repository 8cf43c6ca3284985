"""`rivus info`: what is used, and where it lies."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version

import click

from engine import __version__
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, print_json

_PACKAGES = ("textual", "rich", "aiosqlite", "pydantic", "click", "litellm")


@click.command()
@json_option
@click.pass_obj
def info(asked: Asked, as_json: bool) -> None:
    """Print versions and every path that is used."""
    state = asked.state_dir()
    owner = state.owner()
    packages = {name: _version(name) for name in _PACKAGES}
    paths = {
        "project": str(asked.root()),
        "config": str(asked.config_file() or "built-in jobs"),
        "state_dir": str(state.path),
        "database": str(state.database),
        "log": str(state.log),
        "artifacts": str(state.artifacts),
    }
    versions = {"rivus": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    if as_json:
        print_json({**versions, "packages": packages, **paths, "engine": owner})
        return
    listed = ", ".join(f"{name} {number or 'not installed'}" for name, number in packages.items())
    runs = "none runs" if owner is None else f"pid {owner.pid}, {owner.mode}, {owner.state}"
    for name, value in {**versions, "packages": listed, **paths, "engine": runs}.items():
        click.echo(f"{name:10} {value}")
    click.echo("\nTo uninstall: remove the state directory and the checkout (or `pip uninstall rivus`).")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
