"""Whether there is anything left to do, for whoever waits for the end of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from engine.contracts.errors import StateError
from engine.kit.clock import Clock
from engine.kit.tasks import wait_for_any
from engine.services.discovery import Discovery
from engine.services.triage import Read
from engine.services.turns import Turns
from engine.store import claims
from engine.store.writer import Writer

_LOOK_S: Final = 1.0


class Quiet:
    """Lives on the engine's loop."""

    def __init__(
        self,
        *,
        clock: Clock,
        writer: Writer,
        read: Read,
        turns: Turns,
        discovery: Discovery,
        is_busy: Callable[[], bool],
        work: bool,
    ) -> None:
        """`is_busy`: whether something waits for a judgement; `work`: False where stages do not run at all."""
        self._clock = clock
        self._writer = writer
        self._read = read
        self._turns = turns
        self._discovery = discovery
        self._is_busy = is_busy
        self._work = work
        self._changed = asyncio.Event()
        self._stopping = False

    def look(self) -> None:
        """What is left may have changed."""
        self._changed.set()

    def stop(self) -> None:
        """Nobody waits any longer."""
        self._stopping = True
        self._changed.set()

    async def drained(self, job: str | None = None, *, wait_s: float = 0.0) -> None:
        """Return when nothing of this job (None: of any) is ready, running or discovered, nor comes back within
        `wait_s`; or at a stop."""
        while not self._stopping:
            self._changed.clear()
            if self._is_quiet(job):
                soon = self._clock.now() + round(wait_s * 1000)
                own = [number for number, stage in self._writer.plan.stages.items() if job in (None, stage.job)]
                startable = self._turns.left(own, work=self._work)
                if not await self._are_left(own, startable, soon) and self._is_quiet(job):
                    if await self._discovery.make_room():
                        continue
                    return
            # Everything that can change the answer is a commit; a discovery that ends commits its end.
            await wait_for_any(self._changed, timeout_s=_LOOK_S)

    def _is_quiet(self, job: str | None) -> bool:
        """Whether no discovery of this job (None: of any) is going on or due, and nothing waits for a judgement."""
        return not self._is_busy() and not any(
            self._discovery.is_due(name) for name in self._writer.plan.jobs if job in (None, name)
        )

    async def _are_left(self, own: list[int], startable: list[int], soon: int) -> bool:
        """Whether anything of these stages is left; also while nobody can tell, because the file cannot be read."""
        try:
            # A read beside the writer's groups: asking must not look like a change.
            return bool(await self._read(lambda connection: claims.left(connection, own, startable, soon)))
        except StateError:
            return True
