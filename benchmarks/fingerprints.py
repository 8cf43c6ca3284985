"""What it takes to fingerprint the stages that come with Rivus, read from their files as an engine reads them."""

from __future__ import annotations

import ast
import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure
from engine.config.sources import Sources
from engine.rules.code.fingerprint import fingerprint
from engine.rules.code.project import Project
from engine.rules.code.reading import Reading

ROOT: Final = Path(__file__).resolve().parents[1]
STAGES: Final = (
    *(("plugins.todos.scan", "discover"), ("plugins.checks.doc_health", "discover")),
    *((f"plugins.todos.{name}", "handle") for name in ("context", "brief", "scope", "prioritise", "decompose")),
    *((f"plugins.maintenance.{name}", "handle") for name in ("classify", "execute", "review", "merge")),
    *(("plugins.sources.filesystem", "discover"), ("plugins.pipelines.docs", "read")),
    *(("plugins.pipelines.docs", "outline"), ("plugins.pipelines.docs", "index")),
)
SYMBOLS: Final = 60
ROUNDS: Final = 5


def measures() -> Iterator[Figure]:
    """Processor time for 60 symbols, the least of some rounds; a peer that only parses the files that were read."""
    first = parsing = float("inf")
    symbols = 0
    for _ in range(ROUNDS):
        sources = Sources(ROOT)
        reading = Reading(Project(sources.load))
        gc.collect()
        symbols, took = _timed(lambda reading=reading: _all(reading))  # type: ignore[misc]
        first = min(first, took)
        texts = [path.read_text(encoding="utf-8") for path in map(Path, sources.files) if path.suffix == ".py"]
        parsing = min(parsing, _timed(lambda texts=texts: len([ast.parse(text) for text in texts]))[1])  # type: ignore[misc]
    share = 1_000 * SYMBOLS / symbols
    setting = f"{SYMBOLS} of {symbols:,} symbols in {len(STAGES)} stages"
    yield Figure(
        name="fingerprint",
        value=first * share,
        unit="ms of processor time",
        peer="ast.parse of the same files",
        peer_value=parsing * share,
        goal="<= 50 ms",
        setting=setting,
    )


def _all(reading: Reading) -> int:
    return sum(len(fingerprint(reading, module, name).symbols) for module, name in STAGES)


def _timed(work: Callable[[], int]) -> tuple[int, float]:
    began = time.process_time()
    return work(), time.process_time() - began
