"""A command on many items in words: the question before it, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.contracts.bulk import BulkLook, BulkView, Forecast
from engine.contracts.commands import SETS_GOING
from engine.contracts.view import JobView
from rivus_tui.format import cell, duration, money, plural

RETURN = "u takes all of it back; what has run by then stays as it ran."
"""Where the point of no return is."""


def paused_jobs(name: str, jobs: Sequence[JobView]) -> dict[str, str]:
    """Return why jobs are paused, by name, where that matters for a command."""
    if name not in SETS_GOING:
        return {}
    return {job.name: job.why or "by a person" for job in jobs if job.state == "paused"}


def question(look: BulkLook, paused: Mapping[str, str]) -> list[str]:
    """Return what a person should know before a command on many items, a paragraph each.

    `paused`: why jobs are paused, by name, where that keeps from starting what the command sets going.
    """
    jobs = ", ".join(f"{n:,} of {cell(job, limit=40).text}" for job, n in list(look.jobs.items())[:4])
    text = [f"{look.eligible:,} of {plural(look.total, 'item')}" + (f": {jobs}." if jobs else ".")]
    if look.eligible < look.total:
        text.append(f"Left alone: {look.total - look.eligible:,}, {look.why_not}.")
    if look.sample:
        more = look.eligible - min(3, len(look.sample))
        shown = ", ".join(cell(title, limit=50).text for title in look.sample[:3])
        text.append(f"{shown} and {more:,} more" if more > 0 else shown)
    held = [job for job in look.jobs if job in paused]
    text += [f"{cell(job, limit=40).text} is paused: {cell(paused[job], limit=200).text}" for job in held]
    if said := forecast_said(look.forecast):
        text.append(f"{said[0].upper()}{said[1:]}.")
    return text


def forecast_said(forecast: Forecast) -> str:
    """Return what work would cost and take; empty when nothing would run."""
    if not (forecast.usd_micros or forecast.ms or forecast.unknown):
        return ""
    parts = []
    if forecast.usd_micros or forecast.ms:
        spent, took = money(forecast.usd_micros), duration(forecast.ms)
        costs = f"it costs at most {spent}" if forecast.usd_micros else "it costs nothing"
        parts.append(f"{costs} and takes about {took}, as it went the last times")
    if forecast.unknown:
        names = ", ".join(cell(name, limit=40).text for name in forecast.unknown[:4])
        parts.append(f"what {names} {'takes' if len(forecast.unknown) == 1 else 'take'} is not known yet")
    return "; ".join(parts)


def progress(view: BulkView) -> str:
    """Return how far it is, for the banner."""
    if view.state == "running":
        return f"{view.name.upper()}: {view.looked:,} of {view.total:,}; u stops it and takes it back"
    if view.state == "undoing":
        return f"UNDO of {view.name}: {view.looked:,} of {view.changed:,}"
    return view.said + ("; u takes it back" if view.state == "done" else "; U does it again")
