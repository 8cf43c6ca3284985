"""`rivus costs`: what was spent, on what, and what limits it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, local_time, print_json, print_table
from rivus_tui.format import plural

if TYPE_CHECKING:
    from engine.contracts.costs import CallView, CostsView, CostView, ModelsView

_BY = ("job", "stage", "model", "item", "purpose", "day")
_CALLS = 200


@click.command()
@click.option("--by", type=click.Choice(_BY), multiple=True, help="Only these tables; all of them without it.")
@click.option("--since", default="30d", show_default=True, metavar="TIME", help="How far back, such as 24h or 30d.")
@click.option("--calls", "one_by_one", is_flag=True, help=f"The newest {_CALLS} requests instead, one a line.")
@json_option
@click.pass_obj
def costs(asked: Asked, by: tuple[str, ...], since: str, one_by_one: bool, as_json: bool) -> None:
    """Show what was spent by job, model, item, purpose and day, with calls and cache hits; then limits and quotas."""
    from engine.config.units import parse_duration
    from engine.contracts.errors import UseError

    try:
        start = round((time.time() - parse_duration(since)) * 1000)
    except ValueError as error:
        raise UseError(f"--since {error}") from error
    reader = asked.reader()
    if reader is None:
        click.echo("nothing has been spent here yet", err=True)
        return
    try:
        if one_by_one:
            _print_calls(reader.model_calls(start, _CALLS), as_json)
            return
        view, models = reader.costs(start), reader.models()
    finally:
        reader.close()
    tables = {
        "job": view.jobs, "stage": view.stages, "model": view.models, "item": view.items, "purpose": view.purposes,
        "day": view.days,
    }  # fmt: skip
    if as_json:
        for name in by or _BY:
            for row in tables[name]:
                print_json({"by": name, **_object(row)})
        for budget in () if by else view.budgets:
            print_json({"by": "limit", **{key: getattr(budget, key) for key in budget.__dataclass_fields__}})
        for quota in () if by else models.quotas:
            print_json({"by": "quota", **{key: getattr(quota, key) for key in quota.__dataclass_fields__}})
        return
    for name in by or _BY:
        if tables[name]:
            _print(name, tables[name])
    if not by:
        _print_limits(view, models)
    total = view.total
    calls = f"{plural(total.calls, 'call')}, {total.cached} from the cache"
    click.echo(
        f"{_usd(total.usd_micros)} since {local_time(view.since)}: {calls} "
        f"({_usd(total.saved_usd_micros)} saved), {total.failed} failed; today {_usd(view.today_usd_micros)}, "
        f"by midnight about {_usd(view.forecast_usd_micros)}",
        err=True,
    )


def _print_calls(calls: Sequence[CallView], as_json: bool) -> None:
    if as_json:
        for call in calls:
            print_json({name: getattr(call, name) for name in call.__dataclass_fields__})
        return
    print_table(
        ("ENDED", "COST", "TOOK", "JOB", "ITEM", "PURPOSE", "MODEL", "STATE", "ERROR"),
        [
            (
                local_time(call.ended_at), f"{_usd(call.usd_micros)}{'?' if call.is_estimate else ''}",
                f"{call.ms / 1000:.1f} s", call.job, call.key or "", call.purpose, call.model, call.state,
                call.error or "",
            )
            for call in calls
        ],
    )  # fmt: skip


def _object(row: CostView) -> dict[str, object]:
    return {key: getattr(row, key) for key in row.__dataclass_fields__}


def _print(name: str, rows: tuple[CostView, ...]) -> None:
    head = (name.upper(), "COST", "CALLS", "CACHED", "FAILED", "FAILED$", "TOKENS IN", "OUT", "P95")
    print_table(
        head,
        [
            (
                row.name,
                f"{_usd(row.usd_micros)}{'?' if row.unpriced else ''}",
                row.calls,
                row.cached,
                row.failed,
                _usd(row.failed_usd_micros),
                f"{row.tokens_in:,}",
                f"{row.tokens_out:,}",
                "" if row.p95_ms is None else f"{row.p95_ms / 1000:.1f} s",
            )
            for row in rows
        ],
    )
    click.echo()


def _print_limits(view: CostsView, models: ModelsView) -> None:
    if view.budgets:
        print_table(
            ("DAILY LIMIT", "SPENT", "ON ITS WAY", "LIMIT", "NEXT DAY"),
            [
                (
                    budget.name,
                    _usd(budget.spent_usd_micros),
                    _usd(budget.reserved_usd_micros),
                    _usd(budget.limit_usd_micros),
                    local_time(budget.resets_at),
                )
                for budget in view.budgets
            ],
        )
        click.echo()
    told = [quota for quota in models.quotas if quota.per_day is not None or quota.state not in ("free", "busy")]
    if told:
        print_table(
            ("QUOTA", "USED", "OF", "STATE", "UNTIL", "WHY"),
            [
                (
                    quota.name,
                    quota.used,
                    quota.per_day,
                    quota.state,
                    local_time(quota.until or quota.resets_at),
                    quota.why,
                )
                for quota in told
            ],
        )
        click.echo()


def _usd(micros: int) -> str:
    from engine.rules.budget import dollars

    return dollars(micros)
