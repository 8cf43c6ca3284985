"""`rivus stale [compare]`: what a change of code means for what was made before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rivus_tui.cli.output import json_option, print_json

if TYPE_CHECKING:
    from engine.rules.code.compare import Comparison
    from engine.rules.code.module import Source

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(invoke_without_command=True)
@click.pass_context
def stale(ctx: click.Context) -> None:
    """Say what a change of a stage's code means for its results."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@stale.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--stage", "function", required=True, metavar="FUNC", help="The stage's function in both files.")
@click.option("--old-deps", type=_FILE, metavar="FILE", help="Helpers that stand beside the old stage.")
@click.option("--new-deps", type=_FILE, metavar="FILE", help="Helpers that stand beside the new stage.")
@json_option
def compare(old: Path, new: Path, function: str, old_deps: Path | None, new_deps: Path | None, as_json: bool) -> None:
    """Could the output of FUNC differ between OLD and NEW? No database, no model; nothing of the files is run.

    The verdict is `same` (nothing that counts has changed), `cosmetic` (what has changed cannot reach an output) or
    `semantic` (it may; also in any doubt).
    """
    from engine.rules.code.files import compare_texts
    from engine.rules.code.fingerprint import NoSuchSymbol

    sides = [
        (_read(file), _read(deps) if deps is not None else None) for file, deps in ((old, old_deps), (new, new_deps))
    ]
    try:
        answer = compare_texts(sides[0], sides[1], function, beside=(_neighbours(old), _neighbours(new)))
    except NoSuchSymbol as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        print_json(comparison_object(answer))
    else:
        click.echo(f"{answer.verdict}: {answer.reason}")
        for doubt in answer.doubts:
            click.echo(f"  not all of the code can be seen: {doubt}")


def comparison_object(answer: Comparison) -> dict[str, object]:
    """A comparison as JSON."""
    return {
        "verdict": answer.verdict,
        "by": "rule",
        "changed_symbols": [change.name for change in answer.changes],
        "reason": answer.reason,
        "incomplete": list(answer.doubts),
    }


def _read(file: Path) -> str:
    import tokenize

    try:
        with tokenize.open(file) as stream:  # the encoding that the file itself declares
            return stream.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read as Python: {error}") from None


def _neighbours(file: Path) -> Callable[[str], Source | None]:
    """Modules beside a file, for what it imports from there."""
    from engine.rules.code.module import Source

    def find(name: str) -> Source | None:
        for path in (
            file.parent.joinpath(*name.split(".")).with_suffix(".py"),
            file.parent.joinpath(*name.split("."), "__init__.py"),
        ):
            if path.is_file() and name.replace(".", "").isidentifier():
                return Source(text=_read(path), path=path.name, is_package=path.name == "__init__.py")
        return None

    return find
