"""What a session that came to nothing had done: kept under a ref of the repository, where a person finds it."""

from __future__ import annotations

from typing import Final

from plugins.maintenance.agents import clone as clones
from plugins.maintenance.agents.clone import Clone
from plugins.maintenance.task import Task

SALVAGE: Final = "refs/rivus/salvage"


def salvage(clone: Clone, task: Task) -> str | None:
    """Keep what lies in the clone under a ref of the repository; returns its commit, None when there is nothing."""
    commit = clone.take(f"Salvaged: {task.title}")
    if commit == clone.base:
        return None
    clone.keep(commit, f"{SALVAGE}/{clones.ref_part(task.key)}")
    return commit


def kept(commit: str | None, task: Task) -> str:
    """Say where that is found."""
    ref = f"{SALVAGE}/{clones.ref_part(task.key)}"
    return "it had changed nothing" if commit is None else f"what it had done is kept as `{ref}`"
