"""A retry of 100,000 failed items by a filter in an engine that runs, and its undo before anything of it is claimed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.figure import Figure
from benchmarks.pipeline import child, files
from benchmarks.project import folder, told_by

ITEMS: Final = 100_000


def measures() -> Iterator[Figure]:
    """Wall time and processor time of both, from the filter to the last item."""
    with folder(files(1)) as root:
        told = told_by(child("bulk", ITEMS), root)
    setting = f"{ITEMS:,} items, {told['steps']} steps of progress seen"
    yield Figure(name="bulk-100k", value=told["s"], unit="s", goal="<= 5", setting=setting)
    yield Figure(name="bulk-100k-cpu", value=told["cpu_s"], unit="s of processor time", goal="<= 3")
    yield Figure(name="bulk-100k-undo", value=told["undo_s"], unit="s", goal="<= 5")
    yield Figure(name="bulk-100k-undo-cpu", value=told["undo_cpu_s"], unit="s of processor time", goal="<= 3")
