"""Whether an action makes sense right now, and if not, why: one sentence for the footer's tooltip, help and toasts.

These are hints for a person, made from what is on the screen. What really happens is the engine's decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from engine.contracts.values import dataclass
from engine.contracts.view import ItemView, JobView


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What a person looks at when a key is pressed."""

    screen: str
    read_only: str = ""
    """Why nothing can be changed here; empty when it can."""
    job: JobView | None = None
    items: tuple[ItemView, ...] = ()
    """The marked items, or the one under the cursor."""
    cursor: ItemView | None = None
    """The item under the cursor, whatever is marked."""
    many: bool = False
    """Whether all that the list shows is marked: only the engine knows what of it an action would change."""
    rows: int = 0
    """Rows in the list."""
    proposed: int = 0
    """Items in the list that rules of triage propose something for."""
    waits: bool = False
    """Whether one of the items waits for a person, as far as the screen knows."""
    copyable: str = ""
    """What `y` would copy."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Why actions cannot be done, by their id, where only the screen knows."""


def always(_: Situation) -> str:
    """Return no reason against it."""
    return ""


def rows(now: Situation) -> str:
    """Return why there is nothing to pick."""
    return "" if now.rows else "the list is empty"


def copy(now: Situation) -> str:
    """Return why there is nothing to copy."""
    return "" if now.copyable else "nothing is selected"


def change(now: Situation) -> str:
    """Return why nothing can be changed here."""
    return now.read_only


def change_row(now: Situation) -> str:
    """Return why the row under the cursor cannot be changed."""
    return now.read_only or rows(now)


def item(now: Situation) -> str:
    """Return why there is no item to look at."""
    return "" if now.items else "no item is selected"


def change_item(now: Situation) -> str:
    """Return why no item can be changed."""
    return now.read_only or item(now)


def accept(now: Situation) -> str:
    """Return why there is nothing to accept."""
    if (reason := change_item(now)) or now.many:
        return reason
    return "" if now.waits else "it waits for nobody" if len(now.items) == 1 else "none of them waits for a person"


def by_rule(now: Situation) -> str:
    """Return why nothing can be done by rule."""
    return now.read_only or ("" if now.proposed else "no rule of triage proposes anything here")


def retry(now: Situation) -> str:
    """Return why there is nothing to try again."""
    if (reason := change_item(now)) or now.many:
        return reason
    if any(one.state == "failed" for one in now.items):
        return ""
    return "it has not failed" if len(now.items) == 1 else "none of them has failed"


def cancel(now: Situation) -> str:
    """Return why there is nothing left to cancel."""
    if (reason := change_item(now)) or now.many:
        return reason
    if any(one.state in ("pending", "waiting", "failed", "snoozed") for one in now.items):
        return ""
    return f"it is {now.items[0].state} already" if len(now.items) == 1 else "all of them are finished already"


def job(now: Situation) -> str:
    """Return why there is no job to look at."""
    return "" if now.job is not None else "no job is selected"


def pause(now: Situation) -> str:
    """Return why the job can be neither paused nor resumed."""
    if reason := now.read_only or job(now):
        return reason
    assert now.job is not None
    return "" if now.job.state in ("active", "paused") else f"it is {now.job.state}"


def pause_until(now: Situation) -> str:
    """Return why nothing of the job can be paused."""
    if reason := pause(now):
        return reason
    assert now.job is not None
    return "" if now.job.state == "active" else "it is paused; p resumes it"


def run(now: Situation) -> str:
    """Return why the job cannot be run now."""
    if reason := now.read_only or job(now):
        return reason
    assert now.job is not None
    if now.job.state != "active":
        return f"it is {now.job.state}"
    if now.job.last_run is not None and now.job.last_run.state == "running":
        return "it looks for items at this moment"
    return ""


def source(now: Situation) -> str:
    """Return why there is no file to open."""
    if now.cursor is None:
        return "no item is selected"
    return "" if now.cursor.path else "it comes from no file"
