"""One request on one lane: reserved, sent with a deadline, settled. Nothing here decides where it goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from engine.contracts.llm import Answered, Backend, BackendFailure, Message, Price, Sent
from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line

log = logging.getLogger(__name__)

_ENDING_S: Final = 1.0
"""How long a call may take to end after its deadline before it is left behind."""
_MESSAGE_TOKENS: Final = 16
"""Tokens that a message costs beside its text, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, priced."""

    text: str
    tokens_in: int
    tokens_out: int
    usd_micros: int
    is_estimate: bool


def worst_case(messages: tuple[Message, ...], schema_size: int, max_tokens: int, price: Price) -> int:
    """Most that a request can cost, in micro-dollars: no token is shorter than a byte."""
    tokens_in = schema_size + sum(_MESSAGE_TOKENS + len(one.content.encode("utf-8", "replace")) for one in messages)
    return _cost(tokens_in, max_tokens, price)


def _cost(tokens_in: int, tokens_out: int, price: Price) -> int:
    return -(-(tokens_in * price.in_per_million + tokens_out * price.out_per_million) // 1_000_000)


def priced(answered: Answered, price: Price | None, worst: int) -> Answer:
    """What an answer cost: as it says, else by its tokens; where they are not told, its worst case."""
    told = answered.tokens_in is not None and answered.tokens_out is not None
    cost = answered.cost_usd_micros
    if price is not None and told:
        own = _cost(answered.tokens_in or 0, answered.tokens_out or 0, price)
        cost = own if cost is None else max(cost, own) if cost else own
    return Answer(
        text=answered.text,
        tokens_in=answered.tokens_in or 0,
        tokens_out=answered.tokens_out or 0,
        usd_micros=worst if cost is None else max(0, cost),
        is_estimate=cost is None,
    )


async def send(backend: Backend, sent: Sent, redact: Callable[[str], str]) -> Answered:
    """Send with a deadline on the wall: BackendFailure for everything that is no answer.

    A call that ignores its cancellation is left behind; what it returns then is dropped.
    """
    task = asyncio.ensure_future(backend.call(sent))
    try:
        await asyncio.wait({task}, timeout=sent.timeout_s)
    except asyncio.CancelledError:
        task.cancel()
        task.add_done_callback(_seen)
        raise
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_ENDING_S)
        task.add_done_callback(_seen)
        raise BackendFailure(f"no answer within {sent.timeout_s:g} s", kind="transient", is_charged=True)
    try:
        answered = task.result()
    except BackendFailure as error:
        error.args = (safe_line(redact(str(error)), 600),)
        raise
    except asyncio.CancelledError as error:
        raise BackendFailure("the backend cancelled its own call", kind="code_bug", is_charged=True) from error
    except Exception as error:
        log.exception("a backend raised what it must not raise")
        text = safe_line(redact(f"{type(error).__name__}: {error}"), 600)
        raise BackendFailure(text, kind="code_bug", is_charged=True) from error
    if not isinstance(answered, Answered):
        raise BackendFailure("the backend returned no answer", kind="code_bug", is_charged=True)
    return answered


def _seen(task: asyncio.Future[Answered]) -> None:
    """What nobody waits for any more must not be reported as never retrieved."""
    if not task.cancelled():
        task.exception()
