"""What a discovery or check is given for one run, and what it has said of it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from engine.contracts.health import JobHealth
from engine.contracts.http import Http
from engine.contracts.item import Known
from engine.contracts.values import dataclass
from engine.kit.redact import redact
from engine.kit.safe_text import safe_line

_MINT_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(slots=True)
class RunContext:
    """Implements `engine.contracts.context.DiscoveryContext` for one run."""

    job: str
    params: Mapping[str, Any]
    root: Path
    repositories: tuple[Path, ...]
    log: logging.Logger
    http: Http
    load_known: Callable[[], Any]
    load_jobs: Callable[[], Any]
    cancelled: bool = False
    problems: list[tuple[str, str | None, int | None]] = field(default_factory=list)
    covered: tuple[str, ...] = ()
    complete: bool = False

    async def known(self) -> Sequence[Known]:
        """Items that earlier runs of this discovery gave."""
        found: Sequence[Known] = await self.load_known()
        return found

    async def jobs(self) -> Sequence[JobHealth]:
        """How every job is."""
        found: Sequence[JobHealth] = await self.load_jobs()
        return found

    def mint(self) -> str:
        """A fresh short key."""
        return "t-" + "".join(secrets.choice(_MINT_ALPHABET) for _ in range(8))

    def problem(self, message: str, *, path: str | None = None, line: int | None = None) -> None:
        """Count a partial failure."""
        self.problems.append((safe_line(redact(message[:4_000]), 300), safe_line(path, 300) if path else None, line))

    def scope(self, paths: Sequence[str], *, complete: bool = True) -> None:
        """Say what this run covered."""
        self.covered = tuple(map(str, paths))
        self.complete = complete
