"""Small writes that nobody waits for, kept until they are done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import field
from typing import Any

from engine.contracts.values import dataclass

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Chores:
    """A task that nothing refers to could vanish."""

    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def do(self, chore: Awaitable[Any]) -> None:
        """Begin a chore."""
        task = asyncio.ensure_future(_quietly(chore))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def done(self) -> None:
        """Wait until every chore is done."""
        while self._running:
            await asyncio.wait(set(self._running))


async def _quietly(chore: Awaitable[Any]) -> None:
    try:
        await chore
    except asyncio.CancelledError:
        raise
    except Exception as error:
        # The state file cannot be written, or the engine stops: what is reserved stays reserved and is lost at the next
        # start, on the safe side.
        log.warning("the ledger of model calls could not be written: %s", error)
