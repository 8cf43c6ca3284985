"""`rivus report`: how long stages take, how often they succeed, how fast items pass, and what it all cost."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from engine.kit.safe_text import safe_line
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import json_option, local_time, print_json, print_table
from rivus_tui.format import plural

if TYPE_CHECKING:
    from engine.contracts.report import JobReport

HEAD = (
    "JOB",
    "STAGE",
    "DONE",
    "FAILED",
    "RETRIED",
    "SKIPPED",
    "SUCCESS",
    "P50",
    "P95",
    "PER HOUR",
    "OPEN",
    "OLDEST",
    "USD",
)


@click.command()
@click.argument("job", required=False)
@click.option("--since", default="7d", show_default=True, help="How far back: 12h, 7d, 2027-01-31.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values, a stage a line.")
@click.option("--md", "as_md", is_flag=True, help="Print Markdown.")
@click.pass_obj
def report(asked: Asked, job: str | None, since: str, as_json: bool, as_csv: bool, as_md: bool) -> None:
    """Report on JOB (all jobs without it): timings, throughput, success, queue ages and cost, from sums by the hour."""
    from engine.contracts.errors import UseError

    if as_json + as_csv + as_md > 1:
        raise UseError("say one of --json, --csv and --md")
    begin = _ago(since)
    reader = asked.reader()
    if reader is None:
        click.echo("nothing has run here yet", err=True)
        return
    try:
        names = [view.name for view in reader.jobs()]
        if job is not None and job not in names:
            raise UseError(f"there is no job `{job}` here; there are: {', '.join(names) or 'none'}")
        reports = reader.report(job, begin)
    finally:
        reader.close()
    if as_json:
        for one in reports:
            print_json(one)
    elif as_csv:
        _csv(reports)
    elif as_md:
        _markdown(reports, begin)
    else:
        print_table(HEAD, [row for one in reports for row in _rows(one)])
        for line in (line for one in reports for line in _lines(one)):
            click.echo(safe_line(line))


def _ago(text: str) -> int:
    """ms UTC of a point in the past."""
    from engine.config.units import parse_duration
    from rivus_tui.cli.times import moment

    try:
        return round((time.time() - parse_duration(text)) * 1000)
    except ValueError:
        return moment(text)


def _rows(report: JobReport) -> Iterator[tuple[object, ...]]:
    for stage in report.stages:
        ended = stage.ended
        yield (
            report.job,
            stage.stage,
            ended.get("done", 0),
            ended.get("failed", 0),
            ended.get("retried", 0),
            ended.get("skipped", 0),
            "" if stage.success is None else f"{stage.success:.0%}",
            _took(stage.p50_ms),
            _took(stage.p95_ms),
            f"{stage.per_hour:.1f}",
            stage.open,
            local_time(stage.oldest_ready_at),
            _usd(stage.usd_micros),
        )


def _lines(report: JobReport) -> Iterator[str]:
    """What belongs to a job as a whole."""
    if report.eta_s is not None:
        yield f"{report.job}: what is open takes {_span(report.eta_s)} at the present pace"
    if report.usd_micros:
        each = "" if report.per_item_usd_micros is None else f", {_usd(report.per_item_usd_micros)} an item"
        yield f"{report.job}: {_usd(report.usd_micros)} spent{each}"
        for day, cost in report.per_day.items():
            yield f"{report.job}: {day} {_usd(cost)}"
    for model in report.models:
        failed = f", {model.failed} failed" if model.failed else ""
        yield f"{report.job}: {model.model} {plural(model.calls, 'call')}{failed}, {_usd(model.usd_micros)}"


def _csv(reports: list[JobReport]) -> None:
    columns = (
        "job",
        "stage",
        "done",
        "failed",
        "retried",
        "skipped",
        "postponed",
        "asked",
        "success",
        "p50_ms",
        "p95_ms",
    )
    more = ("per_hour", "open", "oldest_ready_at", "usd_micros")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*columns, *more))
    for report in reports:
        for stage in report.stages:
            ended = [stage.ended.get(name, 0) for name in columns[2:8]]
            timings = [
                "" if value is None else round(value, 4) for value in (stage.success, stage.p50_ms, stage.p95_ms)
            ]
            rest = [round(stage.per_hour, 3), stage.open, stage.oldest_ready_at or "", stage.usd_micros]
            writer.writerow([safe_line(report.job), safe_line(stage.stage), *ended, *timings, *rest])
    click.echo(text.getvalue(), nl=False)


def _markdown(reports: list[JobReport], since: int) -> None:
    click.echo(f"# Report since {local_time(since)}\n")
    click.echo("| " + " | ".join(name.lower() for name in HEAD) + " |")
    click.echo("|" + "---|" * len(HEAD))
    for report in reports:
        for row in _rows(report):
            cells = (safe_line(str(cell)).replace("|", "\\|") for cell in row)
            click.echo("| " + " | ".join(cells) + " |")
    lines = [line for report in reports for line in _lines(report)]
    if lines:
        click.echo("\n" + "\n".join(f"- {safe_line(line)}" for line in lines))


def _usd(micros: float) -> str:
    return f"${micros / 1_000_000:,.4f}".rstrip("0").rstrip(".") if micros else ""


def _took(ms: float | None) -> str:
    if ms is None:
        return ""
    return f"{ms:.0f} ms" if ms < 1_000 else _span(ms / 1_000)


def _span(seconds: float) -> str:
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "m")):
        if seconds >= size:
            return f"{seconds / size:.1f}{unit}"
    return f"{seconds:.1f}s"
