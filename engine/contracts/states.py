"""The names of states. The transitions between them stand in `engine.rules.states`."""

from __future__ import annotations

from typing import Final, Literal

StageState = Literal["blocked", "ready", "running", "done", "skipped", "failed", "waiting", "later"]
"""State of one item stage (one item at one stage, the row that is claimed)."""

STAGE_STATES: Final[tuple[StageState, ...]] = (
    "blocked",
    "ready",
    "running",
    "done",
    "skipped",
    "failed",
    "waiting",
    "later",
)

ItemState = Literal["pending", "waiting", "failed", "done", "skipped", "snoozed", "dropped", "gone"]
"""State of an item. The first five are derived from its stages by one rule; the last three never are."""

ITEM_STATES: Final[tuple[ItemState, ...]] = (
    "pending",
    "waiting",
    "failed",
    "done",
    "skipped",
    "snoozed",
    "dropped",
    "gone",
)

JobState = Literal["active", "paused", "broken", "removed"]
JOB_STATES: Final[tuple[JobState, ...]] = ("active", "paused", "broken", "removed")

RunState = Literal["running", "done", "failed", "cut"]
"""`cut`: the run ended before it had seen everything (shutdown, limit); it closes nothing."""
RUN_STATES: Final[tuple[RunState, ...]] = ("running", "done", "failed", "cut")
