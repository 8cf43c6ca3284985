"""Telling a person: through one seam, without repeating, not too often, and never in anybody's way."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from engine.contracts.doctor import Notifier
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.kit.redact import redact
from engine.kit.safe_text import safe_block, safe_line
from engine.kit.tasks import end_task, wait_for_any

log = logging.getLogger(__name__)

QUIET_MS: Final = 1_800_000
"""The same is not told again within half an hour; what was kept back is counted."""
WAITING_MAX: Final = 100
_HOUR_MS: Final = 3_600_000


@dataclass(slots=True)
class _Told:
    at: int
    kept_back: int = 0


class Notices:
    """A queue in front of a notifier."""

    def __init__(self, notifier: Notifier | None, clock: Clock, *, per_hour: int) -> None:
        self.notifier = notifier
        self.per_hour = per_hour
        self.dropped = 0
        """Messages that were over the limit or that nobody took."""
        self.quiet_until: Callable[[int], int | None] = lambda now: None
        """Until when (ms UTC) nobody may be told anything, asked at a time; None: they may."""
        self._clock = clock
        self._told: dict[str, _Told] = {}
        self._sent: deque[int] = deque()
        self._waiting: deque[tuple[str, str]] = deque()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="notices")

    async def stop(self) -> None:
        """End; what was not sent stands in the events."""
        await end_task(self._task)

    def look(self) -> None:
        """The quiet hours may have changed, or be over."""
        self._hurry.set()

    def tell(self, key: str, title: str, text: str) -> bool:
        """Queue a message unless the same key was told lately or too many were sent; never waits."""
        now = round(self._clock.monotonic() * 1_000)  # a wall clock that was far ahead would keep all still for long
        before = self._told.get(key)
        if before is not None and now - before.at < QUIET_MS:
            before.kept_back += 1
            return False
        while self._sent and now - self._sent[0] >= _HOUR_MS:
            self._sent.popleft()
        if self.notifier is None or len(self._sent) >= self.per_hour or len(self._waiting) >= WAITING_MAX:
            self.dropped += 1
            return False
        again = f" (and {before.kept_back} more since)" if before is not None and before.kept_back else ""
        self._told = {name: told for name, told in self._told.items() if now - told.at < QUIET_MS}
        self._told[key] = _Told(now)
        self._sent.append(now)
        self._waiting.append((safe_line(redact(title), 120) + again, safe_block(redact(text), 1_000)))
        self._wake.set()
        return True

    async def _loop(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                if (until := self.quiet_until(self._clock.now())) is not None:
                    await wait_for_any(self._hurry, timeout_s=max(1.0, (until - self._clock.now()) / 1000))
                    self._hurry.clear()
                    continue
                title, text = self._waiting.popleft()
                notifier = self.notifier
                if notifier is None:
                    continue
                try:
                    await notifier.tell(title, text)
                except Exception as error:
                    self.dropped += 1
                    log.warning("a notification was not sent: %s", safe_line(redact(str(error)), 200))
