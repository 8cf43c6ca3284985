"""What litellm gives back, read: an answer with what it took, or why it is none; and what its errors mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.contracts.llm import Answered, BackendFailure
from engine.kit.safe_text import safe_line
from engine.llm.failures import classify

if TYPE_CHECKING:
    from engine.llm.capped import Heard

_NO_CONNECTION: Final = ("ConnectError", "ConnectTimeout", "ConnectionRefused", "ClientConnector", "gaierror")
"""How the names of errors begin that say that no connection was made (`ConnectionResetError` is none of them)."""


def answered(litellm: Any, response: Any, max_tokens: int, *, is_priced: bool) -> Answered:
    """The answer in a response; BackendFailure where it is none, or not the whole one."""
    try:
        choice = response.choices[0]
        text = choice.message.content
    except (AttributeError, IndexError, TypeError) as error:
        raise BackendFailure("the answer has no choices", kind="transient", is_charged=True) from error
    came = _counted(litellm, response, text if isinstance(text, str) else "", is_priced=is_priced)
    if why := _useless(choice, came.text, max_tokens):
        raise BackendFailure(why, kind="item", is_charged=True, counted=came)
    return came


def _useless(choice: Any, text: str, max_tokens: int) -> str | None:
    """Why what came is no whole answer; None: it is one."""
    if choice.finish_reason == "length":
        told = f"the answer was cut off after {max_tokens:,} tokens, thoughts included"
        return f"{told}: `max_tokens` of the model, or of who asks, is too small"
    if choice.finish_reason == "content_filter":
        return "the provider's content filter stopped the answer"
    if refusal := (getattr(choice.message, "provider_specific_fields", None) or {}).get("refusal"):
        return f"the model refused: {safe_line(str(refusal), 300)}"
    if text.strip():
        return None
    if getattr(choice.message, "tool_calls", None):
        return "the answer calls a tool, and has no text"
    return "the answer has no text"


def _counted(litellm: Any, response: Any, text: str, *, is_priced: bool) -> Answered:
    """The answer with what it took, where its server tells that and it can be true.

    A 200 without usage comes as zeros, and some servers leave what a model thought out of the tokens of its answer, but
    not out of the total.
    """
    usage: Any = getattr(response, "usage", None)
    before, after, total = (
        int(getattr(usage, name, 0) or 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    after = max(after, total - before)
    told = before > 0 and (after > 0 or not text)
    cost = None
    if told and is_priced:
        try:
            cost = dearer(float(litellm.completion_cost(completion_response=response)) * 1_000_000)
        except Exception:  # no price: what was reserved counts
            cost = None
    return Answered(
        text=text,
        tokens_in=before if told else None,
        tokens_out=after if told else None,
        cost_usd_micros=cost,
    )


def translated(error: Exception, heard: Heard) -> BackendFailure:
    """An error of litellm's; what was heard on the wire goes before what it says."""
    told = getattr(error, "status_code", None)
    is_answered = heard.status is not None and heard.status < 300
    status = told if is_answered or heard.status is None else heard.status
    # Where litellm cannot read an answer it shows its own lines of code.
    words = str(getattr(error, "message", None) or error).partition("Traceback (most recent call last)")[0]
    return classify(
        safe_line(words, 2_000),
        status=status if isinstance(status, int) else None,
        headers=heard.headers if heard.status is not None else _headers(error),
        is_timeout="Timeout" in type(error).__name__,
        is_too_long="ContextWindow" in type(error).__name__,
        is_policy="ContentPolicy" in type(error).__name__,
        is_unsent=any(name.startswith(_NO_CONNECTION) for name in _causes(error)),
        is_answered=is_answered,
    )


def _headers(error: Exception) -> dict[str, str]:
    """What litellm kept of them where the response was not heard: it went through a proxy."""
    response = getattr(error, "response", None)
    kept = dict(getattr(response, "headers", None) or getattr(error, "litellm_response_headers", None) or {})
    return {str(name).lower(): str(value) for name, value in kept.items()}


def _causes(error: BaseException) -> list[str]:
    """Names of what an error was made of."""
    names, seen = [], 0
    cause: BaseException | None = error
    while cause is not None and seen < 20:
        names.append(type(cause).__name__)
        cause, seen = cause.__cause__ or cause.__context__, seen + 1
    return names


def dearer(value: float) -> int:
    """Whole micro-dollars; money is rounded up: a limit must hold."""
    return -int(-round(value, 6) // 1)
