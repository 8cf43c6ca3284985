"""One request, on whichever lane takes it: it stands in line, is sent, and goes on where a lane fails."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from engine.contracts.errors import ModelBusy, ModelFailed, ModelNeeded, TooCostly
from engine.contracts.llm import BackendFailure, Price, Sent
from engine.contracts.models import ModelSpec
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.kit.redact import Redactor
from engine.kit.safe_text import safe_line
from engine.llm.board import Board
from engine.llm.booking import Booking, QuotaUsedUp
from engine.llm.call import Answer, priced, send, worst_case
from engine.llm.lanes import Lane, Lanes, Seat, Wait
from engine.llm.ledger import Sending
from engine.llm.line import Line, Ticket
from engine.rules.budget import dollars
from engine.store import quotas
from engine.store.model_calls import NewCall, Settlement

log = logging.getLogger(__name__)

_THROTTLES: Final = 3
"""So often one request is told to wait before it is parked."""
_READY_S: Final = 120.0
"""How long a backend may take to get ready: libraries are loaded, commands that give keys run."""
_PATIENCE_MAX_S: Final = 366 * 86_400.0


@dataclass(slots=True)
class Sender:
    """Sends requests."""

    clock: Clock
    lanes: Lanes
    line: Line
    board: Board
    booking: Booking
    epoch: int
    alias: Callable[[str], ModelSpec]
    """An alias by its name; ModelNeeded when it cannot be asked."""
    redactor: Redactor

    async def send(self, sending: Sending) -> tuple[Lane, Answer]:
        """Return who answered and what; ModelBusy, ModelFailed and TooCostly say why nobody did."""
        passed: dict[Lane, BackendFailure | TooCostly] = {}
        throttles = 0
        while True:
            left = tuple(lane for lane in sending.alias.lanes if lane not in passed)
            if not left:
                raise _last(sending.alias, passed)
            seat = await self._granted(sending, left, throttles)
            lane, longer = seat.lane, None
            try:
                return lane, await self._on_lane(sending, seat)
            except TooCostly as error:
                passed[lane] = error
            except QuotaUsedUp as quota:
                # After the request was taken off the count in memory: the store's word is the last.
                self.lanes.correct(quota.name, used_until=quota.until)
            except BackendFailure as error:
                if error.kind == "throttled":
                    throttles += 1
                elif error.kind == "context" and sending.alias.longer is not None:
                    longer = self.alias(sending.alias.longer)
                elif error.kind == "item":
                    raise ModelFailed(f"{'/'.join(lane)}: {error}", kind="item", status=error.status) from error
                else:
                    passed[lane] = error
            finally:
                self.lanes.leave(sending.alias, seat, sending.hold)
                self.line.look()
                self.board.look()
            if longer is not None:
                # Only now that the lane is free again: the longer alias may be one of the same backend.
                log.info("%s is too short for a question of %s", sending.alias.name, sending.request.purpose)
                return await self.send(replace(sending, alias=longer))

    async def _granted(self, sending: Sending, lanes: tuple[Lane, ...], throttles: int) -> Seat:
        wait_s = 0.0 if throttles >= _THROTTLES else min(sending.request.wait_s, _PATIENCE_MAX_S)
        ticket = Ticket(
            alias=sending.alias,
            lanes=lanes,
            urgency=sending.urgency,
            give_up_at=self.clock.now() + round(wait_s * 1000),
            hold=sending.hold,
            granted=asyncio.get_running_loop().create_future(),
        )
        self.board.enter(ticket, sending)
        try:
            self.line.enter(ticket)
            got = await ticket.granted
        except asyncio.CancelledError:
            if ticket.granted.done() and not ticket.granted.cancelled():
                self._decline(sending, ticket.granted.result())
            raise
        finally:
            self.line.withdraw(ticket)
            self.board.leave(ticket)
        if isinstance(got, Wait):
            raise ModelBusy(f"model {sending.alias.name}: {got.why}", until=got.until)
        return got

    def _decline(self, sending: Sending, got: Seat | Wait) -> None:
        """A lane was given to somebody who has left."""
        if isinstance(got, Seat):
            self.lanes.not_sent(sending.alias, got.lane)
            self.lanes.leave(sending.alias, got, sending.hold)
            self.line.look()

    async def _on_lane(self, sending: Sending, seat: Seat) -> Answer:
        purse, lane = sending.purse, seat.lane
        worst = 0
        try:
            await self._prepare(seat)
            price = seat.price()
            worst = self._worst(sending, lane, price)
            purse.reserved_usd_micros += worst
            call = self._call(sending, lane, worst)
            number = await self.booking.reserve(sending, lane, call, seat.stored)
        except BaseException:
            purse.reserved_usd_micros -= worst
            self.lanes.not_sent(sending.alias, lane)
            raise
        began = self.clock.monotonic()
        end = Settlement(state="failed", usd_micros=worst, is_estimate=True, error="the caller left before the answer")
        try:
            answered = await send(seat.backend, self._sent(sending, lane), self.redactor.clean)
            answer = priced(answered, price, worst)
            end = Settlement(
                state="settled",
                usd_micros=answer.usd_micros,
                is_estimate=answer.is_estimate,
                tokens_in=answer.tokens_in,
                tokens_out=answer.tokens_out,
            )
        except BackendFailure as error:
            counted = priced(error.counted, price, worst) if error.counted is not None else None
            end = Settlement(
                state="failed",
                usd_micros=counted.usd_micros if counted is not None else worst if error.is_charged else 0,
                is_estimate=counted.is_estimate if counted is not None else error.is_charged,
                tokens_in=counted.tokens_in if counted is not None else None,
                tokens_out=counted.tokens_out if counted is not None else None,
                error=str(error),
                is_unsent=error.is_unsent,
            )
            if error.is_unsent:
                self.lanes.not_sent(sending.alias, lane)
            await self.booking.settle(sending, lane, number, call, replace(end, ms=self._ms(began)), error=error)
            raise
        except BaseException as error:
            # The caller has left, or the answer makes no sense: it may have been charged all the same.
            if not isinstance(error, asyncio.CancelledError):
                end = replace(end, error=f"what came back cannot be priced ({type(error).__name__})")
            self.booking.chores.do(self.booking.settle(sending, lane, number, call, replace(end, ms=self._ms(began))))
            raise
        finally:
            purse.reserved_usd_micros -= worst
            purse.spent_usd_micros += end.usd_micros
        await self.booking.settle(sending, lane, number, call, replace(end, ms=self._ms(began)), answer=answer)
        return answer

    async def _prepare(self, seat: Seat) -> None:
        """Let the backend get ready, within the time that an answer may take: its making is somebody else's code."""
        try:
            try:
                async with asyncio.timeout(_READY_S):
                    await seat.backend.prepare()
            except BackendFailure:
                raise
            except TimeoutError as error:
                raise BackendFailure(f"it was not ready within {_READY_S:g} s", kind="transient") from error
            except Exception as error:
                log.exception("the backend %s cannot get ready", seat.spec.name)
                text = safe_line(self.redactor.clean(f"it cannot get ready: {type(error).__name__}: {error}"), 600)
                raise BackendFailure(text, kind="systemic") from error
        except BackendFailure as error:
            await self.booking.learn(seat.lane, error)
            raise

    def _worst(self, sending: Sending, lane: Lane, price: Price | None) -> int:
        """What the call can cost at most; TooCostly when that is not known, or too much."""
        name, request, alias = "/".join(lane), sending.request, sending.alias
        if sending.purse.is_closed:
            raise ModelFailed("the attempt is over, nothing more is asked for it", kind="code_bug")
        limits = [one for one in (request.max_cost_usd_micros, alias.max_cost_usd_micros) if one is not None]
        if price is not None:
            size = len(json.dumps(sending.schema)) if sending.schema is not None else 0
            worst = worst_case(sending.messages, size, _max_tokens(sending), price)
        elif limits:
            worst = min(limits)
        else:
            raise TooCostly(
                f"the price of {name} is not known: give it below `backends` (`price: free`, or input and output), "
                f"or say what a call may cost with `max_cost` at model {alias.name}"
            )
        if limits and worst > min(limits):
            raise TooCostly(f"{name}: the call may cost {dollars(worst)}, {dollars(min(limits))} are allowed")
        if not sending.purse.may(worst):
            limit = dollars(sending.purse.limit_usd_micros or 0)
            raise TooCostly(f"{name}: the call may cost {dollars(worst)}, {limit} in all are allowed")
        return worst

    def _call(self, sending: Sending, lane: Lane, worst: int) -> NewCall:
        return NewCall(
            asker=sending.asker,
            alias=sending.alias.name,
            backend=lane[0],
            mode=lane[1],
            purpose=sending.request.purpose,
            worst_usd_micros=worst,
            epoch=self.epoch,
            quotas=quotas.names(*lane, sending.alias.name),
        )

    def _sent(self, sending: Sending, lane: Lane) -> Sent:
        return Sent(
            mode=lane[1],
            messages=sending.messages,
            json_schema=sending.schema,
            temperature=sending.request.temperature,
            max_tokens=_max_tokens(sending),
            timeout_s=sending.request.timeout_s or sending.alias.timeout_s,
        )

    def _ms(self, began: float) -> int:
        return round((self.clock.monotonic() - began) * 1000)


def _max_tokens(sending: Sending) -> int:
    return min(sending.request.max_tokens or sending.alias.max_tokens, sending.alias.max_tokens)


def _last(alias: ModelSpec, passed: Mapping[Lane, BackendFailure | TooCostly]) -> Exception:
    """What to raise when every lane was passed over: each of them named, the worst class counts."""
    if not passed:
        return ModelNeeded(f"model {alias.name}: nobody can be asked")
    told = "; ".join(f"{'/'.join(lane)}: {error}" for lane, error in passed.items())
    failures = [error for error in passed.values() if isinstance(error, BackendFailure)]
    if not failures:
        return TooCostly("; ".join(dict.fromkeys(str(error) for error in passed.values())))
    order = ("transient", "context", "item", "code_bug", "systemic")
    first = min(failures, key=lambda one: order.index(one.kind) if one.kind in order else 0)
    return ModelFailed(told, kind=first.kind, status=first.status)
