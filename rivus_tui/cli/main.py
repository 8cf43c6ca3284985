"""The root of the command line: global options, the verbs by name, and one place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any, Final

import click

from engine import __version__
from rivus_tui.cli.asked import Asked

# name → (module, attribute, one line for --help). The modules are imported when their verb is used.
_VERBS: Final[dict[str, tuple[str, str, str]]] = {
    "run": ("rivus_tui.cli.run", "run", "Run one job headless: discover, then work; --once drains and exits."),
    "serve": ("rivus_tui.cli.serve", "serve", "Run the engine headless (the same as --serve)."),
    "status": ("rivus_tui.cli.status", "status", "Show jobs, counts, and whether an engine runs."),
    "jobs": ("rivus_tui.cli.jobs", "jobs", "List, pause and resume jobs."),
    "items": ("rivus_tui.cli.items", "items", "List, show, retry, cancel and prioritise items."),
    "todo": ("rivus_tui.cli.todo_files", "todo", "Scan TODO files; list, decide, scope and run what they hold."),
    "import": ("rivus_tui.cli.todo_files", "import_command", "Take over the entries of an old queue.yaml."),
    "check": ("rivus_tui.cli.check", "check", "List and run checks."),
    "doctor": ("rivus_tui.cli.doctor", "doctor", "Incidents: what failed, why, what is done about it."),
    "stale": ("rivus_tui.cli.stale", "stale", "What a change of code means for the results made before it."),
    "ask": ("rivus_tui.cli.ask", "ask", "Ask a model one question."),
    "review": ("rivus_tui.cli.review", "review", "Let several models review a document; one report."),
    "costs": ("rivus_tui.cli.costs", "costs", "What was spent: by job, model, purpose and day; limits and quotas."),
    "bless": ("rivus_tui.cli.stale", "bless", "Keep stale results of a stage."),
    "reset": ("rivus_tui.cli.stale", "reset", "Run a stage again where its result is stale."),
    "plan": ("rivus_tui.cli.plan", "plan", "Show what would run next, in what order, and what holds it."),
    "report": ("rivus_tui.cli.report", "report", "Report timings, throughput, success and cost; --csv, --md, --json."),
    "limits": ("rivus_tui.cli.limits", "limits", "What limits work, and setting it by hand."),
    "open": ("rivus_tui.cli.open", "open_link", "Open the control room at a place, by its rivus:// link."),
    "since": ("rivus_tui.cli.since", "since", "What happened since the control room was left, or since a time."),
    "events": ("rivus_tui.cli.events", "events", "Show what happened, newest last."),
    "stop": ("rivus_tui.cli.stop", "stop", "Stop the engine of this project, wherever it runs."),
    "reload": ("rivus_tui.cli.stop", "reload", "Let the running engine read jobs.yaml again."),
    "engines": ("rivus_tui.cli.engines", "engines", "List the engines that run, and where."),
    "undo": ("rivus_tui.cli.undo", "undo", "Take back the last command of a person."),
    "redo": ("rivus_tui.cli.undo", "redo", "Do again what was taken back last."),
    "config": ("rivus_tui.cli.config", "config", "Check jobs.yaml, show it as understood, export its schema."),
    "db": ("rivus_tui.cli.db", "db", "Back up, check, restore and prune the state file."),
    "demo": ("rivus_tui.cli.demo", "demo", "Open a sample project with every state: no network, no spend."),
    "init": ("rivus_tui.cli.begin", "init", "Write a first jobs.yaml for this folder, explained."),
    "notify": ("rivus_tui.cli.notify", "notify", "Messages to a person; `notify test` sends one."),
    "new": ("rivus_tui.cli.new", "new", "Begin a plugin or a job of your own."),
    "keys": ("rivus_tui.cli.keys", "keys", "List every key of every screen, and its command line."),
    "completion": ("rivus_tui.cli.keys", "completion", "Print the completion script of a shell."),
    "info": ("rivus_tui.cli.info", "info", "Print versions and every path that is used."),
}


class _ReaderGone(Exception):
    """The reader of a pipe (head, less) has had enough, which is not an error; click itself would exit with 1."""


class Verbs(click.Group):
    """A group whose commands are imported when they are used."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as gone:
            raise _ReaderGone from gone

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = _VERBS.get(cmd_name)
        if verb is None:
            return None
        command: click.Command = getattr(importlib.import_module(verb[0]), verb[1])
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in _VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            import difflib

            near = difflib.get_close_matches(args[0], _VERBS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else "; `rivus --help` lists them"
            raise click.UsageError(f"There is no command `{args[0]}`{hint}", ctx=ctx) from None


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="State directory of this project.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The jobs.yaml to use.")
@click.option("--serve", is_flag=True, help="Run the engine headless until it is stopped.")
@click.option("--read-only", is_flag=True, help="Open the control room to look only.")
@click.option("--trust", is_flag=True, help="The code beside jobs.yaml may run; asked once for each jobs.yaml.")
@click.option("--theme", metavar="NAME", help="Colours: rivus, ansi-dark, ansi-light, colour-safe, textual-light, …")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal, to select text with it.")
@click.option("--fresh", is_flag=True, help="Forget how the control room was left the last time.")
@click.option("--plain", is_flag=True, help="No screens: tell in lines how things stand and what happens.")
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def rivus(
    ctx: click.Context,
    state: Path | None,
    config: Path | None,
    serve: bool,
    read_only: bool,
    trust: bool,
    theme: str | None,
    no_mouse: bool,
    fresh: bool,
    plain: bool,
) -> None:
    """A control room in the terminal for work that runs by itself.

    Without a command it opens the control room: on ./jobs.yaml, on the nearest one above, or with the built-in jobs
    (todos, doc-health, docs) on the current folder or repository.

    Exit codes: 0 done, 1 the work failed, 2 wrong use or configuration, 3 another engine runs, 4 a model or key is
    needed.
    """
    ctx.obj = Asked(
        state=state, config=config, read_only=read_only, trust=trust, theme=theme, mouse=not no_mouse, fresh=fresh
    )
    for_room = {"--read-only": read_only, "--theme": theme, "--no-mouse": no_mouse, "--fresh": fresh, "--plain": plain}
    if (serve or ctx.invoked_subcommand is not None) and (wrong := [name for name, on in for_room.items() if on]):
        raise click.UsageError(f"{wrong[0]} is for the control room", ctx=ctx)
    if ctx.invoked_subcommand is not None:
        if serve:
            raise click.UsageError("--serve takes no command", ctx=ctx)
        return
    if serve:
        from rivus_tui.cli.serve import serve_project

        ctx.exit(serve_project(ctx.obj))
    if plain:
        from rivus_tui.cli.plain import tell

        ctx.exit(tell(ctx.obj))
    from rivus_tui.cli.room import open_room

    ctx.exit(open_room(ctx.obj))


def run(args: list[str] | None = None) -> int:
    """Run the command line; returns the exit code. Errors of Rivus are one message on stderr, without a traceback."""
    try:
        answer: Any = rivus.main(args=args, prog_name="rivus", standalone_mode=False)
        return answer if isinstance(answer, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except _ReaderGone:
        # Nothing may be flushed into the pipe any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from rivus_tui.cli.failure import report

        return report(error)
