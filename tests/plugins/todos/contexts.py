"""Contexts for handlers and discoveries that need nothing but a folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.contracts.item import Candidate, Known


@dataclass(kw_only=True)
class PlainItem:
    key: str = "k"
    title: str = "Something"
    data: Mapping[str, Any] = field(default_factory=dict)
    path: str | None = None
    line: int | None = None
    headings: tuple[str, ...] = ()


@dataclass(kw_only=True)
class PlainContext:
    root: Path
    artifact_dir: Path
    item: PlainItem
    job: str = "todos"
    stage: str = "context"
    upstream: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attempt: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("test"))
    cancelled: bool = False

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        pass

    def emit(self, candidate: Candidate, *, job: str | None = None) -> None:
        raise AssertionError("these stages emit nothing")


@dataclass(kw_only=True)
class PlainDiscovery:
    root: Path
    repositories: tuple[Path, ...] = ()
    knows: Sequence[Known] = ()
    job: str = "todos"
    params: Mapping[str, Any] = field(default_factory=dict)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("test"))
    cancelled: bool = False
    minted: int = 0
    problems: list[tuple[str, str | None]] = field(default_factory=list)
    scopes: list[tuple[tuple[str, ...], bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.repositories = self.repositories or (self.root,)

    async def known(self) -> Sequence[Known]:
        return self.knows

    def mint(self) -> str:
        self.minted += 1
        return f"new{self.minted}"

    def problem(self, message: str, *, path: str | None = None, line: int | None = None) -> None:
        self.problems.append((message, path))

    def scope(self, paths: Sequence[str], *, complete: bool = True) -> None:
        self.scopes.append((tuple(paths), complete))


def known(candidate: Candidate, state: str = "pending") -> Known:
    """What the engine tells the next scan of a candidate."""
    return Known(
        key=candidate.key,
        title=candidate.title,
        data=candidate.data,
        path=candidate.path,
        line=candidate.line,
        headings=candidate.headings,
        state=state,
    )
