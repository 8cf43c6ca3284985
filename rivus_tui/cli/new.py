"""`rivus new plugin` and `rivus new job`: a plugin that runs as it is, with its test, and its place in jobs.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from rivus_tui.cli.asked import Asked

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_TEMPLATES: Final = Path(__file__).with_name("templates")
_HEAD: Final = "version: 1\n\njobs:\n"


@click.group()
def new() -> None:
    """Begin a plugin or a job of your own; docs/plugins.md is the guide."""


@new.command()
@click.argument("name")
@click.pass_obj
def plugin(asked: Asked, name: str) -> None:
    """Write plugins/NAME.py with a discovery and two handlers, a test of them, and something to find."""
    _check(name)
    root = asked.root()
    files = {
        root / "plugins" / f"{name}.py": "plugin.py.txt",
        root / "tests" / f"test_{name}.py": "test.py.txt",
        root / f"{name}.txt": "found.txt",
    }
    _refuse(files)
    for path, template in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(_filled(template, name), encoding="utf-8")
        click.echo(f"wrote {path.relative_to(root)}")
    click.echo(f"next: rivus new job {name}")


@new.command()
@click.argument("name")
@click.pass_obj
def job(asked: Asked, name: str) -> None:
    """Put a job NAME into jobs.yaml that runs plugins/NAME.py; the file is made where there is none."""
    from engine.config.load import load_project
    from engine.contracts.errors import ConfigError, Untrusted, UseError
    from rivus_tui.cli.trust import is_trusted

    _check(name)
    root = asked.root()
    if not (root / "plugins" / f"{name}.py").is_file():
        raise UseError(f"there is no plugins/{name}.py; `rivus new plugin {name}` writes one")
    file = asked.config_file() or root / "jobs.yaml"
    before = file.read_text(encoding="utf-8") if file.exists() else None
    if before is not None and re.search(rf"^  {name}:", before, re.MULTILINE):
        raise UseError(f"{file.name} has a job `{name}` already")
    file.write_text(_with_job(before or _HEAD, _filled("job.yaml.txt", name)), encoding="utf-8")
    try:
        load_project(file, root, trusted=is_trusted(file))
    except Untrusted:
        # What it says is in order; whether its code may run is asked when it is to run.
        pass
    except ConfigError:
        # A file that cannot be read any more is worse than one without the job.
        if before is None:
            file.unlink()
        else:
            file.write_text(before, encoding="utf-8")
        raise
    click.echo(f"{'wrote' if before is None else 'added to'} {file.name}: {name}")
    click.echo(f"next: rivus --trust run {name} --once")


def _with_job(text: str, stanza: str) -> str:
    """Return the text of a jobs.yaml with one more job at the end of its `jobs:`."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    start = next((at for at, line in enumerate(lines) if re.match(r"jobs:\s*(#.*)?$", line)), None)
    if start is None:
        return "".join([*lines, "\njobs:\n", stanza])
    end = next((at for at in range(start + 1, len(lines)) if re.match(r"[^\s#]", lines[at])), len(lines))
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    gap = "\n" if end > start + 1 else ""
    return "".join([*lines[:end], gap, stanza, *lines[end:]])


def _check(name: str) -> None:
    from engine.contracts.errors import UseError

    if not _NAME.fullmatch(name):
        raise UseError(f"`{name[:60]}` is no name: lower-case letters, digits and _, a letter first")


def _refuse(files: dict[Path, str]) -> None:
    from engine.contracts.errors import UseError

    if there := [path.name for path in files if path.exists()]:
        raise UseError(f"nothing was written: {', '.join(there)} is there already")


def _filled(template: str, name: str) -> str:
    return (_TEMPLATES / template).read_text(encoding="utf-8").replace("NAME", name)
