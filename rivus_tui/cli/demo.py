"""`rivus demo`: the control room on a sample project that has every state, without a network and without spending."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click

from rivus_tui.cli.asked import Asked


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Make it in DIR and leave it there.")
@click.option("--serve", is_flag=True, help="Run it headless.")
@click.pass_context
def demo(ctx: click.Context, keep: Path | None, serve: bool) -> None:
    """Open a sample project: parcels that arrive, ask and fail, letters that wait, a job that is broken.

    It lives in a temporary folder that goes when you leave. Nothing of your own is read or changed.
    """
    from engine.contracts.errors import UseError

    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise UseError(f"{keep}: it is not empty; name a new folder")
    folder = keep.absolute() if keep is not None else Path(tempfile.mkdtemp(prefix="rivus-demo-"))
    try:
        project = make_demo(folder)
        asked = Asked(state=folder / "state", config=project / "jobs.yaml", sample=True)
        if serve:
            from rivus_tui.cli.serve import serve_project

            ctx.exit(serve_project(asked))
        from rivus_tui.cli.room import open_room

        ctx.exit(open_room(asked))
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def make_demo(folder: Path) -> Path:
    """Copy the sample project into `folder`; returns where it is.

    Its documents are kept under names that no scanner of this repository takes for its own.
    """
    import plugins

    source = Path(next(iter(plugins.__path__))) / "demo" / "project"
    project = folder / "post-office"
    shutil.copytree(source, project)
    for sample in project.glob("*.sample"):
        sample.rename(sample.with_suffix(""))
    return project
