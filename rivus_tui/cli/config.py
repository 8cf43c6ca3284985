"""`rivus config check|show|schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, plain, print_json, print_table

if TYPE_CHECKING:
    from engine.contracts.spec import ProjectSpec


@click.group()
def config() -> None:
    """Check jobs.yaml, show it as understood, export its schema."""


@config.command()
@json_option
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Validate the configuration; exit 2 when something is wrong, a broken job included."""
    from engine.contracts.errors import ConfigError

    asked: Asked = ctx.obj
    file = asked.config_file()
    try:
        project = asked.project()
    except ConfigError as error:
        if not as_json:
            raise
        for problem in error.problems:
            print_json(problem)
        ctx.exit(error.exit_code)
    broken = [job for job in project.jobs if job.broken]
    for job in broken:
        if as_json:
            print_json(
                {"file": str(file or "built-in jobs"), "line": None, "key": f"jobs.{job.name}", "message": job.broken}
            )
        else:
            click.echo(f"{file or 'built-in jobs'}: jobs.{job.name}: {job.broken}", err=True)
    if broken:
        ctx.exit(2)
    if not as_json:
        n = len(project.jobs)
        click.echo(f"{file or 'built-in jobs'}: {n} {'job' if n == 1 else 'jobs'}, no problems")


@config.command()
@click.option("--sources", is_flag=True, help="Where each value comes from, and which secrets are set.")
@json_option
@click.pass_obj
def show(asked: Asked, sources: bool, as_json: bool) -> None:
    """Show every job as it is understood, defaults filled in."""
    import yaml

    project = asked.project()
    if sources:
        _show_sources(asked, project, as_json)
        return
    told = {
        "source": str(project.source or "built-in jobs"),
        "root": str(project.root),
        "settings": plain(project.settings),
        "jobs": {job.name: plain(job) for job in project.jobs},
    }
    if as_json:
        print_json(told)
    else:
        click.echo(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), nl=False)


def _show_sources(asked: Asked, project: ProjectSpec, as_json: bool) -> None:
    from rivus_tui.cli.info import keys_of
    from rivus_tui.cli.origins import PRECEDENCE, Origin, origins

    # Whether a secret is set, never what it is.
    secrets = [Origin(name=name, value="secret", source=told) for name, told in keys_of(asked).items()]
    found = [*origins(asked, project), *secrets]
    if as_json:
        for one in found:
            print_json(one)
        return
    print_table(("NAME", "SOURCE", "VALUE"), [(one.name, one.source, one.value) for one in found])
    click.echo(f"\nWhat goes first: {PRECEDENCE}.")


@config.command()
def schema() -> None:
    """Print the JSON Schema of jobs.yaml, for editors."""
    import json

    from engine.config.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
