"""The numbered screens: which there are, in which place, and where each lives. A number never moves.

A screen is a module `rivus_tui.screens.MODE` with a class named here, and a module `rivus_tui.actions.MODE` with its
actions. It is imported when it is opened for the first time, so that the first paint waits for one screen only.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

from engine.contracts.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomSpec:
    """One numbered screen."""

    key: str
    mode: str
    title: str
    short: str
    """For narrow terminals; the open screen is always named in full."""
    screen: str
    """Its class in `rivus_tui.screens.MODE`."""
    help: str
    cli: str
    """What tells the same on the command line."""


ROOMS: Final[tuple[RoomSpec, ...]] = (
    RoomSpec(
        key="1", mode="jobs", title="Jobs", short="Job", screen="JobsScreen", help="All jobs and how they are",
        cli="rivus jobs list",
    ),
    RoomSpec(
        key="2", mode="items", title="Items", short="Itm", screen="ItemsScreen", help="Items; again: of every job",
        cli="rivus items list",
    ),
    RoomSpec(
        key="3", mode="triage", title="Triage", short="Tri", screen="TriageScreen", help="What waits for a person",
        cli="rivus todo list",
    ),
    RoomSpec(
        key="4", mode="doctor", title="Doctor", short="Doc", screen="DoctorScreen",
        help="Failures with one cause as one line, and what was done about them", cli="rivus doctor list",
    ),
    RoomSpec(
        key="5", mode="stale", title="Stale", short="Stl", screen="StaleScreen",
        help="Results that another version of the code made", cli="rivus stale",
    ),
    RoomSpec(
        key="6", mode="checks", title="Checks", short="Chk", screen="ChecksScreen",
        help="Recurring checks, and what each found", cli="rivus check list",
    ),
    RoomSpec(
        key="7", mode="costs", title="Costs", short="$", screen="CostsScreen",
        help="What was spent, and what the limits are", cli="rivus costs",
    ),
    RoomSpec(
        key="8", mode="resources", title="Resources", short="Res", screen="ResourcesScreen",
        help="Shared capacity and pace: who holds what, who waits", cli="rivus status --why",
    ),
    RoomSpec(
        key="9", mode="events", title="Events", short="Evt", screen="EventsScreen", help="What happened, newest first",
        cli="rivus events",
    ),
)  # fmt: skip


def standing() -> tuple[RoomSpec, ...]:
    """Return the screens, in their order."""
    return ROOMS


def screen_class(room: RoomSpec) -> Any:
    """Return the class of a screen, imported now if it was not yet."""
    return getattr(importlib.import_module(f"rivus_tui.screens.{room.mode}"), room.screen)


def actions_module(kind: str) -> Any:
    """Return the module with the actions of a screen, imported now if it was not yet."""
    return importlib.import_module(f"rivus_tui.actions.{kind}")
