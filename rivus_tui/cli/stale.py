"""`rivus stale [diff|revoke|compare]`, `rivus bless`, `rivus reset`: what a change of code means for what was made."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from engine.contracts.errors import OwnedError, UseError
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.commanding import apply
from rivus_tui.cli.output import json_option, print_json, print_table, tell
from rivus_tui.format import plural

if TYPE_CHECKING:
    from engine.contracts.staleness import BlessingView, StaleView
    from engine.rules.code.compare import Comparison
    from engine.rules.code.module import Source

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY_MS: Final = 86_400_000


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def stale(ctx: click.Context, as_json: bool) -> None:
    """List results that other code made than runs now, and what was kept in the last 24 hours.

    Without an engine, the code is looked at as it is on disk now.
    """
    if ctx.invoked_subcommand is not None:
        return
    views, kept = _look(ctx.obj)
    if as_json:
        for view in views:
            print_json(stale_object(view))
        return
    if not views:
        click.echo("nothing is stale")
    print_table(
        ("RESULTS", "JOB.STAGE", "OLD", "NEW", "VERDICT", "BY", "RESET", "CHANGED", "WHY"),
        [
            (
                view.results,
                f"{view.job}.{view.stage}",
                (view.old or "?")[:6],
                (view.new or "?")[:6],
                view.verdict,
                view.by,
                price(view),
                ", ".join(change.name for change in view.changes if not change.is_cosmetic),
                view.why,
            )
            for view in views
        ],
    )
    if kept:
        click.echo("\nkept in the last 24 hours (take back with `rivus stale revoke NUMBER`):")
        print_table(
            ("NUMBER", "JOB.STAGE", "OLD", "NEW", "RESULTS", "BY", "WHY"),
            [
                (one.judgement, f"{one.job}.{one.stage}", one.old[:6], one.new[:6], one.results, one.by, one.why)
                for one in kept
            ],
        )


@stale.command()
@click.argument("job")
@click.argument("stage")
@click.pass_obj
def diff(asked: Asked, job: str, stage: str) -> None:
    """Show how the code of STAGE differs from what made its stale results."""
    import difflib

    from engine.kit.safe_text import safe_block

    views = [view for view in _look(asked)[0] if (view.job, view.stage) == (job, stage)]
    if not views:
        click.echo(f"nothing of {job}.{stage} is stale")
    for view in views:
        click.echo(f"{plural(view.results, 'result')} of {view.old or 'unknown code'}: {view.why}")
        for change in view.changes:
            lines = difflib.unified_diff(
                (change.old or "").splitlines(),
                (change.new or "").splitlines(),
                f"{change.name} (as it was)",
                f"{change.name} {change.place}",
                lineterm="",
            )
            click.echo("\n".join(safe_block(line) for line in lines))


@stale.command()
@click.argument("job")
@click.argument("stage")
@click.option("--model", default=None, metavar="ALIAS", help="Whom to ask; else `stale_model`, else the first alias.")
@click.option("--version", default=None, metavar="HASH", help="Only about results of this older version.")
@click.option("--yes", is_flag=True, help="Do not ask before.")
@json_option
@click.pass_obj
def ask(asked: Asked, job: str, stage: str, model: str | None, version: str | None, yes: bool, as_json: bool) -> None:
    """Ask a model what the change of STAGE means for its stale results; says what that costs, and asks before.

    An answer that they cannot differ keeps them; `rivus stale revoke` takes that back.
    """
    args = (
        {"job": job, "stage": stage} | ({"model": model} if model else {}) | ({"version": version} if version else {})
    )
    if not yes:
        look = apply(asked, "judge", args | {"price": True}, reads_code=True)
        if not look.ok:
            raise click.exceptions.Exit(tell(look, as_json))
        prices = look.data["prices"]
        whom = model or next(iter(prices))
        click.echo(f"{whom} is asked about {job}.{stage}, for {_exact(prices[whom])} at most", err=True)
        if not sys.stdin.isatty():
            raise UseError("a model costs money: say --yes where nobody can be asked")
        click.confirm("Ask it?", abort=True, err=True)
    raise click.exceptions.Exit(tell(apply(asked, "judge", args, reads_code=True), as_json))


@stale.command()
@click.argument("judgement", type=int)
@json_option
@click.pass_obj
def revoke(asked: Asked, judgement: int, as_json: bool) -> None:
    """Take back that two versions count as the same; `rivus stale` lists the numbers."""
    raise click.exceptions.Exit(tell(apply(asked, "revoke", {"judgement": judgement}), as_json))


@click.command()
@click.argument("job")
@click.argument("stage")
@click.option("--why", default="", help="Why the change means nothing; kept with the judgement.")
@click.option("--version", default=None, metavar="HASH", help="Only results of this older version.")
@json_option
@click.pass_obj
def bless(asked: Asked, job: str, stage: str, why: str, version: str | None, as_json: bool) -> None:
    """Keep the stale results of STAGE: the change of its code means nothing for them."""
    args = {"job": job, "stage": stage, "why": why} | ({"version": version} if version else {})
    raise click.exceptions.Exit(tell(apply(asked, "bless", args, reads_code=True), as_json))


@click.command()
@click.argument("job")
@click.argument("stage")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Only so many items, to see what comes out.")
@click.option("--version", default=None, metavar="HASH", help="Only results of this older version.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def reset(
    asked: Asked, job: str, stage: str, sample: int | None, version: str | None, yes: bool, as_json: bool
) -> None:
    """Run STAGE again where its result is stale, and what depends on it; says what that costs, and asks."""
    views = [
        view
        for view in _look(asked)[0]
        if (view.job, view.stage) == (job, stage) and (version is None or (view.old or "").startswith(version))
    ]
    if views and not yes:
        if not sys.stdin.isatty():
            raise UseError("a reset costs time and money: say --yes where nobody can be asked")
        click.echo(_told(views, sample), err=True)
        click.confirm("Reset them?", abort=True, err=True)
    args = {"job": job, "stage": stage}
    args |= {"sample": sample} if sample else {}  # type: ignore[dict-item]
    args |= {"version": version} if version else {}
    raise click.exceptions.Exit(tell(apply(asked, "reset", args, reads_code=True), as_json))


def _told(views: list[StaleView], sample: int | None) -> str:
    """What a reset takes along and costs, in one sentence."""
    results = sum(view.results for view in views)
    n = min(sample or results, results)
    share = n / results
    lines = [f"{n:,} {'item' if n == 1 else 'items'} of {views[0].job}.{views[0].stage} will run again"]
    for name, _ in views[0].downstream:
        also = sum(count for view in views for stage, count in view.downstream if stage == name)
        lines.append(f"with {min(round(also * share), n):,} of {name}, which depends on it")
    ms = sum(view.reset_ms for view in views) * share
    cost = sum(view.reset_usd_micros for view in views) * share
    lines.append(f"about {_span(ms)} of work and {_money(cost)} for {views[0].stage} itself")
    if views[0].downstream:
        more_ms = sum(view.downstream_ms for view in views) * share
        more = sum(view.downstream_usd_micros for view in views) * share
        lines.append(f"{_span(more_ms)} and {_money(more)} more for what depends on it")
    return "; ".join(lines) + ". It can be undone until one of them starts."


def price(view: StaleView) -> str:
    """Time and money of a reset, short."""
    return f"{_span(view.reset_ms)}, {_money(view.reset_usd_micros)}"


def _span(ms: float) -> str:
    if ms < 1_000:
        return f"{ms:.0f} ms"
    seconds = ms / 1_000
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7_200
        else f"{seconds / 3_600:.1f} h"
    )


def _exact(micros: int) -> str:
    from engine.rules.budget import dollars

    return dollars(micros)


def _money(micros: float) -> str:
    return f"${micros / 1_000_000:.2f}"


def stale_object(view: StaleView) -> dict[str, object]:
    """Stale results as JSON."""
    return {
        "job": view.job,
        "stage": view.stage,
        "results": view.results,
        "old": view.old,
        "new": view.new,
        "verdict": view.verdict,
        "by": view.by,
        "reason": view.why,
        "confidence": view.confidence,
        "changed_symbols": [change.name for change in view.changes if not change.is_cosmetic],
        "incomplete": list(view.doubts),
        "judgement": view.judgement,
        "reset": {
            "items": view.results,
            "downstream": dict(view.downstream),
            "ms": view.reset_ms,
            "cost": view.reset_usd_micros / 1_000_000,
            "downstream_ms": view.downstream_ms,
            "downstream_cost": view.downstream_usd_micros / 1_000_000,
        },
    }


def _look(asked: Asked) -> tuple[list[StaleView], list[BlessingView]]:
    """Read what is stale; where no engine runs, one looks at the code and leaves again."""
    from engine.facade import Engine

    state = asked.state_dir()
    if state.database.exists() and state.owner() is None:
        engine = Engine(asked.project(), state, mode="command")
        try:
            engine.start()
        except OwnedError:
            pass  # somebody was faster, and has looked
        else:
            engine.stop_and_wait(drain=False)
    reader = asked.reader()
    if reader is None:
        return [], []
    try:
        return reader.stale(), reader.blessings(round(time.time() * 1000) - _DAY_MS)
    finally:
        reader.close()


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
        answer = compare_texts(
            sides[0], sides[1], function, beside=(_neighbours(old), _neighbours(new)), paths=(str(old), str(new))
        )
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
    from engine.rules.code.module import Source, parse

    text = _text(file)
    problem = parse("", Source(text=text, path=str(file))).problem
    if problem is not None:
        raise click.UsageError(problem)
    return text


def _text(file: Path) -> str:
    import tokenize

    try:
        with tokenize.open(file) as stream:  # the encoding that the file itself declares
            return stream.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read as Python: {error}") from None
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}") from None


def _neighbours(file: Path) -> Callable[[str], Source | None]:
    """Modules beside a file, for what it imports from there."""
    from engine.rules.code.module import Source

    def find(name: str) -> Source | None:
        for path in (
            file.parent.joinpath(*name.split(".")).with_suffix(".py"),
            file.parent.joinpath(*name.split("."), "__init__.py"),
        ):
            if path.is_file() and name.replace(".", "").isidentifier():
                return Source(text=_text(path), path=path.name, is_package=path.name == "__init__.py")
        return None

    return find
