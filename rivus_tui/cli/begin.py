"""`rivus init`: a first jobs.yaml for a folder, written from what lies in it and explained line by line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from rivus_tui.cli.asked import Asked

_HEAD: Final = """\
# What Rivus does in this folder. It is read at the start, and again whenever it changes.
# `rivus config check` says what is wrong with it; `rivus config schema` prints the JSON Schema for editors.
version: 1

settings:
  timezone: {timezone} # cron times and daily limits are meant in it
  # Folders that internal jobs look at, relative to this file.
  repositories: [.]
  # Stop jobs that have spent so much in a day, whatever they do.
  daily_cost: 5 USD
"""

_TODOS: Final = """
  # Open lines of TODO.md files. They wait in Triage (key 3) for your decision: a accepts, x drops, n puts off.
  todos:
    title: TODOs
    emoji: 📋
    internal: true # looks after the project itself
    discovery: {use: plugins.todos.scan, every: 10m, on_commit: true}
    stages: # one after the other; `after: [name]` would say otherwise
      - context: {handler: plugins.todos.context} # facts to decide by: age, author, neighbours
      - brief: {handler: plugins.todos.brief, gate: accept} # starts once you have accepted the item

  # A check: what it finds comes to Triage, too, and is closed when it is not found any more.
  doc-health:
    title: Doc health
    emoji: 🩺
    internal: true
    check: plugins.checks.doc_health # links, anchors, commands, paths and ports in Markdown
    every: 1d
    findings_to: todos
"""

_DOCS: Final = """
  # Documents of this folder, each taken through three stages.
  docs:
    title: Documents
    emoji: 📄
    discovery:
      use: plugins.sources.filesystem
      include: [{patterns}]
      every: 30m
    stages:
      - read: {{handler: plugins.pipelines.docs.read}}
      - outline: {{handler: plugins.pipelines.docs.outline}}
      - index: {{handler: plugins.pipelines.docs.index}}
"""

_OWN: Final = """
  # A job of your own: `rivus new plugin NAME` writes the functions and a test for them. Then, for example:
  # papers:
  #   discovery: {use: papers.find, every: 1h} # or `cron: "30 6 * * 1-5"`
  #   stages:
  #     - fetch: {handler: papers.fetch, pace: 60/h, attempts: 5}
  #     - publish: {handler: papers.publish, gate: accept} # waits for your key
"""

_DOCUMENTS: Final = {".md": "**/*.md", ".rst": "**/*.rst", ".txt": "**/*.txt"}
_LOOKED_AT: Final = 20_000
"""Files looked at to see which documents there are."""


@click.command()
@click.pass_obj
def init(asked: Asked) -> None:
    """Write a first jobs.yaml for this folder; never over one that is there."""
    from engine.config.find import CONFIG_NAME
    from engine.contracts.errors import UseError

    file = asked.config.absolute() if asked.config else Path.cwd() / CONFIG_NAME
    text = first_config(file.parent)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise UseError(f"{file}: it is there already, and was not touched; `rivus config check` looks at it") from None
    except OSError as error:
        raise UseError(f"{file}: it cannot be written: {error.strerror}") from error
    click.echo(f"written: {file}\n")
    click.echo("  rivus                # opens the control room on it\n  rivus config check   # after a change")


def first_config(folder: Path) -> str:
    """Return a jobs.yaml for a folder; it never depends on the network."""
    from engine.kit.files import list_files

    found = {Path(path).suffix.lower() for path in list_files(folder).files[:_LOOKED_AT]}
    patterns = [f'"{pattern}"' for suffix, pattern in _DOCUMENTS.items() if suffix in found]
    head = _HEAD.format(timezone=_timezone())
    docs = _DOCS.format(patterns=", ".join(patterns)) if patterns else ""
    return f"{head}\njobs:{_TODOS}{docs}{_OWN}"


def _timezone() -> str:
    """The machine's time zone by its IANA name; UTC where that is not known."""
    from zoneinfo import ZoneInfo

    names = [os.environ.get("TZ", "").removeprefix(":")]
    for source in (Path("/etc/timezone"), Path("/etc/localtime")):
        try:
            names.append(source.read_text("utf-8").strip() if source.name == "timezone" else _zone_of(source))
        except (OSError, ValueError):
            continue
    for name in filter(None, names):
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            continue
        return name
    return "UTC"


def _zone_of(link: Path) -> str:
    return str(link.resolve()).partition("zoneinfo/")[2]
