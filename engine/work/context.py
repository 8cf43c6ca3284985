"""What a handler gets: the same object on the engine's loop and in a worker process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.contracts.context import Item
from engine.contracts.item import Candidate
from engine.contracts.llm import LLM
from engine.kit.no_model import NoModel

Log = logging.Logger | logging.LoggerAdapter[logging.Logger]
_NO_MODEL: Final = NoModel()


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
        "_folder",
        "_log",
        "_make_log",
        "_progress",
        "answer",
        "attempt",
        "cancelled",
        "emitted",
        "item",
        "job",
        "llm",
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
        item: Item,
        upstream: Mapping[str, Mapping[str, Any]],
        attempt: int,
        params: Mapping[str, Any],
        root: Path,
        artifacts: Path,
        log: Callable[[], Log],
        progress: Callable[[int, int | None, str], None],
        answer: str | None = None,
        llm: LLM | None = None,
        folder: str = "",
    ) -> None:
        """`log` makes the logger when it is first asked for; the item's artifacts are in `folder` of `artifacts`."""
        self.job = job
        self.stage = stage
        self.item = item
        self.upstream = upstream
        self.attempt = attempt
        self.params = params
        self.root = root
        self.answer = answer
        self.llm: LLM = llm or _NO_MODEL
        self.cancelled = False
        self.emitted: list[tuple[str, Candidate]] = []
        self._artifacts = artifacts
        self._folder = folder
        self._log: Log | None = None
        self._make_log = log
        self._progress = progress

    @property
    def log(self) -> Log:
        """Carries the ids of this attempt."""
        if self._log is None:
            self._log = self._make_log()
        return self._log

    @property
    def artifact_dir(self) -> Path:
        """This item's own folder; made when it is first asked for."""
        path = self._artifacts / self._folder
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        """Say how far this attempt is."""
        self._progress(done, total, text)

    def emit(self, candidate: Candidate, *, job: str | None = None) -> None:
        """Hand over an item that is stored together with the outcome."""
        self.emitted.append((job or self.job, candidate))
