"""`rivus keys`: every key of every screen, and the file that changes them; `rivus completion`: for the shell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from rivus_tui.cli.output import json_option, print_json, print_table
from rivus_tui.cli.own_keys import keymap_file, own_keys

if TYPE_CHECKING:
    from rivus_tui.actions.action import Action

_TABLE: Final = re.compile(r"(<!-- keys: (\w+) -->)\n.*?(<!-- /keys -->)", re.DOTALL)
SHELLS: Final = ("bash", "zsh", "fish")


@click.command()
@click.argument("screen", required=False)
@click.option("--markdown", is_flag=True, help="Print a table as the README has it.")
@json_option
def keys(screen: str | None, markdown: bool, as_json: bool) -> None:
    """List the keys of all screens, or of SCREEN, with the command line that does the same.

    A file keys.yaml (`rivus info` says where) changes them, such as `accept: A` or `open: [enter, l]`.
    """
    from engine.contracts.errors import UseError
    from rivus_tui.actions.action import key_names
    from rivus_tui.actions.registry import actions_of, kinds

    if markdown:
        click.echo(markdown_table())
        return
    if screen is not None and screen not in kinds():
        raise UseError(f"there is no screen `{screen}`; there are: {', '.join(kinds())}")
    mine = own_keys()
    for problem in mine.problems:
        click.echo(f"{keymap_file()}: {problem}", err=True)
    found = [(kind, mine.applied(one)) for kind in kinds() if screen in (None, kind) for one in actions_of(kind)]
    if as_json:
        for kind, one in found:
            print_json(
                {
                    "screen": kind, "id": one.id, "keys": one.keys, "label": one.label, "help": one.help,
                    "level": one.level, "undo": one.can_undo, "cli": one.cli or None,
                }
            )  # fmt: skip
        return
    rows: dict[str, tuple[Action, list[str]]] = {}
    for kind, one in found:
        rows.setdefault(f"{one.id} {one.keys}", (one, []))[1].append(kind)
    everywhere = len(kinds())
    print_table(
        ("KEYS", "ID", "WHAT IT DOES", "SCREENS", "COMMAND LINE"),
        [
            (key_names(one.keys), one.id, one.help, "all" if len(at) == everywhere else ", ".join(at), one.cli)
            for one, at in rows.values()
        ],
    )


def markdown_table(only: str | None = None) -> str:
    """Return the keys that do something, of all screens; or what decides on one screen, as the README has it."""
    from rivus_tui.actions.action import key_names
    from rivus_tui.actions.registry import every_action, kinds

    rows: dict[str, tuple[Action, list[str]]] = {}
    for kind, one in every_action():
        shown = not one.moves and one.goes_to is None if only is None else kind == only and bool(one.level)
        if shown:
            rows.setdefault(f"{one.id} {one.keys}", (one, []))[1].append(kind)
    heads = ("key", "what it does") + (("where",) if only is None else ())
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for one, at in rows.values():
        where = "everywhere" if len(at) == len(kinds()) else ", ".join(at)
        written = " ".join(f"`{name}`" for name in key_names(one.keys).split())
        lines.append(f"| {written} | {one.help} |" + (f" {where} |" if only is None else ""))
    return "\n".join(lines)


def with_tables(text: str) -> str:
    """Return a document with its tables of keys made anew."""
    return _TABLE.sub(lambda match: f"{match[1]}\n{markdown_table(match[2])}\n{match[3]}", text)


def write_readme() -> None:
    """Write the tables of README.md anew; `make keys` does it."""
    path = Path("README.md")
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of a SHELL; for bash: `eval "$(rivus completion bash)"` in ~/.bashrc."""
    from click.shell_completion import get_completion_class

    from rivus_tui.cli.main import rivus

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(rivus, {}, "rivus", "_RIVUS_COMPLETE").source())
