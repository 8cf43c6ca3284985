"""`rivus serve` and `rivus --serve`: the engine without an app."""

from __future__ import annotations

import click

from rivus_tui.cli.asked import Asked


@click.command()
@click.option("--install", "installs", is_flag=True, help="Write a systemd user unit that does so, and start nothing.")
@click.pass_obj
def serve(asked: Asked, installs: bool) -> None:
    """Run the engine headless until SIGTERM or SIGINT; a second signal stops at once.

    Plain lines go to stderr, JSON lines to the log (`rivus info` says where).
    """
    if not installs:
        raise click.exceptions.Exit(serve_project(asked))
    from rivus_tui.cli.unit import install

    unit = install(asked, grace_s=asked.project().settings.grace_s)
    click.echo(f"written: {unit}\n")
    click.echo(f"  systemctl --user daemon-reload\n  systemctl --user enable --now {unit.name}")
    click.echo("  loginctl enable-linger        # to keep it running while nobody is logged in")


def serve_project(asked: Asked) -> int:
    """Serve the project that was asked for; returns the exit code."""
    from engine.facade import Engine
    from engine.serve import serve as serve_engine
    from rivus_tui.cli.logs import log_to_file

    project = asked.project()
    state = asked.state_dir()
    engine = Engine(project, state, mode="serve")
    state.create()
    echo = log_to_file(state, echo=True)
    engine.start()
    for job in project.jobs:
        if job.broken:
            echo.say(f"job {job.name} is broken: {job.broken}")
    jobs = "1 job" if len(project.jobs) == 1 else f"{len(project.jobs)} jobs"
    ready = f"rivus serves {project.name}: {jobs}, state in {state.path}"
    return serve_engine(engine, say=echo.say, ready=ready)
