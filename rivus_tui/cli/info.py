"""`rivus info`: what is used, and where it lies."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
import platformdirs

from engine import __version__
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.notify import secrets_in, unset
from rivus_tui.cli.output import json_option, print_json
from rivus_tui.cli.own_keys import keymap_file
from rivus_tui.cli.trust import store_file
from rivus_tui.cli.unit import unit_file

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
        "keys": str(keymap_file()),
        "room": str(state.room),
        "trusted": str(store_file()),
        "cache": str(_cache()),
        "unit": str(unit_file(asked)),
    }
    keys = keys_of(asked)
    versions = {"rivus": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    if as_json:
        print_json({**versions, "packages": packages, **paths, "keys": keys, "engine": owner})
        return
    listed = ", ".join(f"{name} {number or 'not installed'}" for name, number in packages.items())
    runs = "none runs" if owner is None else f"pid {owner.pid}, {owner.mode}, {owner.state}"
    for name, value in {**versions, "packages": listed, **paths, "engine": runs}.items():
        click.echo(f"{name:10} {value}")
    for name, told in keys.items():
        click.echo(f"key        {name}: {told}")
    click.echo("\nTo uninstall: remove what of these is there, and the checkout (or `pip uninstall rivus`):")
    for path in (state.path, keymap_file(), store_file(), _cache(), unit_file(asked)):
        click.echo(f"  {path}{'' if path.exists() else '  (is not there)'}")


def _cache() -> Path:
    """What would be worked out anew if it were not there: configurations, fingerprints of code, answers of servers."""
    return platformdirs.user_cache_path("rivus")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def keys_of(asked: Asked) -> dict[str, str]:
    """Which keys the configured backends need, and whether they are set; never what they are."""
    from engine.contracts.errors import ConfigError
    from engine.kit.secrets import Secrets

    try:
        project = asked.project()
    except ConfigError:
        return {}
    secrets = Secrets(project.source.parent if project.source is not None else None)
    told = {}
    for backend in project.backends:
        if backend.key_cmd:
            told[backend.name] = f"from the command `{backend.key_cmd[0]}`"
        elif backend.key_env is not None:
            found = secrets.find(backend.key_env)
            told[backend.key_env] = f"set ({found.source})" if found.value is not None else found.source
    for address in project.settings.doctor.notify:
        missing = unset(address)
        told |= {name: "not set" if name in missing else "set (environment)" for name in secrets_in(address)}
    return told
