"""States as shape, word and colour: what a person sees is the same on every screen and legible without colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.contracts.states import ItemState, StageState
from engine.contracts.view import ItemView, JobView
from rivus_tui.format import Cell, cell, fit
from rivus_tui.theme import Role

_STAGE: Final[Mapping[StageState, tuple[str, Role]]] = {
    "blocked": (".", "muted"),
    "ready": ("o", ""),
    "running": (">", "run"),
    "done": ("+", "ok"),
    "skipped": ("-", "muted"),
    "failed": ("x", "bad"),
    "waiting": ("#", "wait"),
    "later": ("~", "wait"),
}

_ITEM: Final[Mapping[ItemState, tuple[str, Role]]] = {
    "pending": ("o", ""),
    "waiting": ("#", "wait"),
    "failed": ("x", "bad"),
    "done": ("+", "ok"),
    "skipped": ("-", "muted"),
    "snoozed": ("z", "muted"),
    "dropped": ("-", "muted"),
    "gone": ("?", "muted"),
}


def stage_state(state: StageState) -> Cell:
    """Return the state of an item stage."""
    shape, role = _STAGE[state]
    return Cell(f"{shape} {state}", role)


def item_state(item: ItemView) -> Cell:
    """Return the state of an item; a pending one shows what its stage does (running, ready, later)."""
    if item.state == "pending" and item.stage_state in ("running", "ready", "later", "blocked"):
        return stage_state(item.stage_state)
    shape, role = _ITEM[item.state]
    return Cell(f"{shape} {item.state}", role)


def named(job: JobView) -> Cell:
    """Return a job's emoji and name; names stand below each other, however wide the emoji are."""
    name = cell(job.name).text
    return Cell(f"{fit(cell(job.emoji).text, 2)} {name}" if job.emoji else name)


def job_state(job: JobView) -> Cell:
    """Return what a job does now; what needs a person comes before what goes by itself."""
    if job.state == "broken":
        return Cell("! broken", "bad")
    if job.state == "removed":
        return Cell("- removed", "muted")
    if job.state == "paused":
        return Cell("= paused", "wait")
    if job.count("running") or (job.last_run is not None and job.last_run.state == "running"):
        return Cell("> running", "run")
    if job.count("ready"):
        held = any(hold.stage is None and hold.gate in ("eligibility", "limit") for hold in job.holds)
        return Cell("~ held", "wait") if held else Cell("o ready")
    if job.last_run is not None and job.last_run.state == "failed":
        return Cell("x run failed", "bad")
    if job.count("failed"):
        return Cell("x failed", "bad")
    if job.count("waiting"):
        return Cell("# waiting", "wait")
    if job.count("later"):
        return Cell("~ later", "wait")
    return Cell("o idle", "muted")
