"""Orders that lists can be shown in: what the sort picker offers. Pure."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from engine.contracts.values import dataclass
from engine.contracts.view import JobView, Order
from rivus_tui.states import job_state

Name = TypeVar("Name", bound=str)

MOST_SORTED: Final = 50_000
"""Orders without an index are offered for at most so many rows: sorting more takes longer than a key may wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sort(Generic[Name]):
    """One order."""

    name: Name
    short: str
    """For the line above the list."""
    label: str
    indexed: bool = True
    """Whether an index holds it, so that the first page costs the same at any size."""


ITEM_SORTS: Final[tuple[Sort[Order], ...]] = (
    Sort(name="created", short="age", label="age, the oldest first"),
    Sort(name="updated", short="changed", label="last change, the newest first", indexed=False),
    Sort(name="priority", short="priority", label="priority, P0 first", indexed=False),
    Sort(name="place", short="place", label="file and line", indexed=False),
    Sort(name="key", short="key", label="key", indexed=False),
)
TRIAGE_SORTS: Final = (ITEM_SORTS[3], ITEM_SORTS[2], ITEM_SORTS[0], ITEM_SORTS[1])

JOB_SORTS: Final[tuple[Sort[str], ...]] = (
    Sort(name="written", short="as written", label="as in jobs.yaml"),
    Sort(name="health", short="health", label="health: what needs a person first"),
    Sort(name="name", short="name", label="name"),
    Sort(name="failed", short="failed", label="most failed items first"),
    Sort(name="ready", short="ready", label="most ready items first"),
)

_HEALTH: Final = (
    "! broken", "= paused", "x failed", "x run failed", "# waiting", "~ later", "> running", "o ready", "o idle",
)  # fmt: skip


def job_rank(job: JobView, order: str) -> tuple[int, str]:
    """Return what jobs are sorted by; those of equal rank stand by name, except as written."""
    if order == "health":
        shown = "x failed" if job.items.get("failed") and job.state == "active" else job_state(job).text
        return (_HEALTH.index(shown) if shown in _HEALTH else len(_HEALTH), job.name)
    if order == "failed":
        return (-job.items.get("failed", 0), job.name)
    if order == "ready":
        return (-job.count("ready"), job.name)
    return (0, job.name if order == "name" else "")
