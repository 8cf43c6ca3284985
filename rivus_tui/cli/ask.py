"""`rivus ask`: one question to a model."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, print_json


@click.command()
@click.argument("prompt")
@click.option("--model", metavar="ALIAS", help="A name below `models` in jobs.yaml; the first one without it.")
@click.option("--system", metavar="TEXT", help="What the model is told beforehand.")
@click.option("--schema", type=click.File("r"), metavar="FILE", help="A JSON Schema that the answer must fit.")
@json_option
@click.pass_obj
def ask(asked: Asked, prompt: str, model: str | None, system: str | None, schema: Any, as_json: bool) -> None:
    """Ask a model one question; `-` reads it from standard input. Its cost goes to standard error.

    Exit 4 when no model is configured, or its key is not set.
    """
    from engine.contracts.errors import UseError
    from engine.kit.safe_text import safe_block, safe_line
    from rivus_tui.cli.commanding import apply

    args: dict[str, Any] = {"prompt": sys.stdin.read() if prompt == "-" else prompt}
    args |= {name: value for name, value in (("model", model), ("system", system)) if value is not None}
    if schema is not None:
        try:
            args["schema"] = json.load(schema)
        except ValueError as error:
            raise UseError(f"{safe_line(schema.name, 200)} is not JSON: {error}") from error
    outcome = apply(asked, "ask", args)
    if as_json:
        print_json(outcome.data)
        return
    click.echo(safe_block(str(outcome.data["text"])))
    click.echo(safe_line(outcome.message), err=True)
