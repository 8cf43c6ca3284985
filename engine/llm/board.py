"""What screens show of the door: who waits for what, and which aliases are held until when.

Stages that need a held alias are not started; when the first is free again, `freed` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import field
from typing import Final

from engine.contracts.models import ModelSpec
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.llm.chores import Chores
from engine.llm.lanes import Lanes, Wait
from engine.llm.ledger import Ledger, Sending
from engine.llm.line import Ticket
from engine.store import model_calls, quotas

_SHOWN_AFTER_S: Final = 0.25
"""A request that waits longer than this is shown."""


@dataclass(slots=True)
class Board:
    """Writes what waits into the state file."""

    clock: Clock
    ledger: Ledger
    lanes: Lanes
    chores: Chores
    freed: Callable[[], None]
    aliases: tuple[ModelSpec, ...] = ()
    """Those that can be asked."""
    _askers: dict[Ticket, Sending] = field(default_factory=dict)
    _shown: dict[Ticket, int] = field(default_factory=dict)
    _held: dict[str, Wait | None] = field(default_factory=dict)
    _timer: asyncio.TimerHandle | None = None

    def configure(self, aliases: tuple[ModelSpec, ...]) -> None:
        """Take the aliases that can be asked; the state file has just been told that none is held."""
        self.aliases = aliases
        self._held = {}
        self.look()

    def enter(self, ticket: Ticket, sending: Sending) -> None:
        """This request stands in line."""
        self._askers[ticket] = sending

    def leave(self, ticket: Ticket) -> None:
        """It does not any more."""
        self._askers.pop(ticket, None)
        if (row := self._shown.pop(ticket, None)) is not None:
            self.chores.do(self.ledger.change(lambda connection, _now: model_calls.waited(connection, row)))

    def waits(self, ticket: Ticket) -> None:
        """A request begins to wait, or waits for something else: show it if that takes a while."""
        if ticket in self._shown:
            row, wait = self._shown[ticket], ticket.told
            assert wait is not None
            self.chores.do(
                self.ledger.change(lambda connection, _now: model_calls.wait_on(connection, row, wait.why, wait.until))
            )
        else:
            asyncio.get_running_loop().call_later(_SHOWN_AFTER_S, self._show, ticket)

    def _show(self, ticket: Ticket) -> None:
        sending, wait = self._askers.get(ticket), ticket.told
        if sending is None or wait is None or ticket.granted.done() or ticket in self._shown:
            return

        async def show() -> None:
            row = await self.ledger.change(
                lambda connection, now: model_calls.wait(
                    connection,
                    sending.asker,
                    sending.alias.name,
                    sending.request.purpose,
                    sending.urgency,
                    wait.why,
                    wait.until,
                    now,
                )
            )
            if ticket in self._askers:
                self._shown[ticket] = row
            else:
                await self.ledger.change(lambda connection, _now: model_calls.waited(connection, row))

        self.chores.do(show())

    def hold(self, alias: ModelSpec) -> Wait | None:
        """A wait with a time on every lane; places that are taken are no reason, the line sees to them."""
        waits = [self.lanes.wait(alias, lane, 2**62) for lane in alias.lanes]
        timed = [wait for wait in waits if wait is not None and wait.until is not None]
        return min(timed, key=lambda one: one.until or 0) if timed and len(timed) == len(waits) else None

    def look(self) -> None:
        """Something has changed: store what holds aliases, and look again when the first of them is free."""
        soonest: int | None = None
        for alias in self.aliases:
            wait = self.hold(alias)
            if wait is not None and wait.until is not None:
                soonest = wait.until if soonest is None else min(soonest, wait.until)
            if wait == self._held.get(alias.name):
                continue
            self._held[alias.name] = wait
            self._store(alias.name, wait)
        self.close()
        if soonest is not None:
            delay = max(0.001, (soonest - self.clock.now()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(delay, self._free)

    def _store(self, alias: str, wait: Wait | None) -> None:
        why, until = (wait.why, wait.until) if wait is not None else (None, None)
        self.chores.do(self.ledger.change(lambda connection, _now: quotas.hold(connection, alias, why, until)))

    def _free(self) -> None:
        self._timer = None
        self.look()
        self.freed()

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
