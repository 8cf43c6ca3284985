"""W3: an idle engine, one item let go by a command: time until its handler starts; the command's commit is in it."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figure import Figure, percentile
from benchmarks.pipeline import child, files
from benchmarks.project import folder, told_by


def measures() -> Iterator[Figure]:
    """p50 and p99 of 300 wake-ups, and of as many bare ones of an asyncio loop in another thread."""
    with folder(files(300, gate="go")) as root:
        told = told_by(child("wake"), root)
    for name, part, goal in (("p50", 0.5, "<= 1 ms"), ("p99", 0.99, "<= 3 ms")):
        yield Figure(
            name="w3",
            value=percentile(told["ours"], part),
            unit="ms",
            peer="asyncio wake-up across threads",
            peer_value=percentile(told["bare"], part),
            goal=goal,
            setting=name,
        )
