"""Just before a start: whether there is still something to do, asked of the job's own function."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from engine.contracts.context import Item
from engine.contracts.values import dataclass
from engine.kit.hooks import ask
from engine.kit.safe_text import safe_line
from engine.store.claims import Claim
from engine.store.stages import Left
from engine.work.context import ContextItem

Hook = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """Implements `engine.contracts.seam.ItemContext`."""

    job: str
    stage: str
    item: Item
    root: Path
    state_dir: Path
    now: int
    params: Mapping[str, Any] = field(default_factory=dict)
    log: logging.Logger


async def no_longer(claim: Claim, hook: Callable[[str], Hook], *, root: Path, state_dir: Path, now: int) -> Left | None:
    """Return how the attempt ends when there is nothing to do any more, which skips what is left of the item.

    None: it still has to be done. NoAnswer and Unresolved when the function cannot be asked: a failed attempt.
    """
    dotted = claim.stage.still_true
    if dotted is None:
        return None
    item = claim.item
    context = _Context(
        job=claim.stage.job,
        stage=claim.stage.spec.name,
        item=ContextItem(item.key, item.title, item.data, item.path, item.line, item.headings, item.signals),
        root=root,
        state_dir=state_dir,
        now=now,
        log=logging.getLogger("rivus.still_true"),
    )
    answer = await ask(hook(dotted), context)
    if answer is None or answer == "" or answer is True:
        return None
    why = safe_line("it is not to be done any more" if answer is False else str(answer), 300)
    return Left(claim=claim, transition="skip", why=why, whole_item=True, ms=0)
