"""What a handler gets: the same object on the engine's loop and in a worker process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.contracts.item import Candidate
from engine.contracts.llm import LLM
from engine.kit.no_model import NoModel


@dataclass(frozen=True, slots=True)
class ContextItem:
    """The item as it was at the claim."""

    key: str
    title: str
    data: Mapping[str, Any]
    path: str | None
    line: int | None
    headings: tuple[str, ...]


class AttemptContext:
    """Implements `engine.contracts.context.Context`."""

    __slots__ = (
        "_artifacts",
        "_progress",
        "answer",
        "attempt",
        "cancelled",
        "emitted",
        "item",
        "job",
        "llm",
        "log",
        "params",
        "root",
        "stage",
        "upstream",
    )

    def __init__(
        self,
        *,
        job: str,
        stage: str,
        item: ContextItem,
        upstream: Mapping[str, Mapping[str, Any]],
        attempt: int,
        params: Mapping[str, Any],
        root: Path,
        artifacts: Path,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger],
        progress: Callable[[int, int | None, str], None],
        answer: str | None = None,
        llm: LLM | None = None,
    ) -> None:
        self.job = job
        self.stage = stage
        self.item = item
        self.upstream = upstream
        self.attempt = attempt
        self.params = params
        self.root = root
        self.log = log
        self.answer = answer
        self.llm: LLM = llm or NoModel()
        self.cancelled = False
        self.emitted: list[tuple[str, Candidate]] = []
        self._artifacts = artifacts
        self._progress = progress

    @property
    def artifact_dir(self) -> Path:
        """This item's own folder; made when it is first asked for."""
        self._artifacts.mkdir(mode=0o700, exist_ok=True)
        return self._artifacts

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        """Say how far this attempt is."""
        self._progress(done, total, text)

    def emit(self, candidate: Candidate, *, job: str | None = None) -> None:
        """Hand over an item that is stored together with the outcome."""
        self.emitted.append((job or self.job, candidate))
