"""Models behind HTTP, by litellm: loaded in a thread when the first call is made, silenced, and its errors translated.

litellm is used for the call alone. It loads for seconds, may read a `.env`, prints on stderr and fetches a price list
when it is imported: the variables below forbid that before, and its handlers are taken off after.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import TYPE_CHECKING, Any, Final, NoReturn

from engine.contracts.llm import Answered, BackendFailure, BackendOptions, Price, Sent
from engine.kit.safe_text import safe_line
from engine.llm.failures import classify

if TYPE_CHECKING:
    import httpx

_NO_CONNECTION: Final = ("ConnectError", "ConnectTimeout", "ConnectionRefused", "ClientConnector", "gaierror")
"""How the names of errors begin that say that no connection was made (`ConnectionResetError` is none of them)."""
_LOADING = threading.Lock()
_loaded: list[Any] = []


def _load() -> Any:
    """Import litellm, silent and offline; once in a process."""
    with _LOADING:
        if not _loaded:
            os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
            os.environ.setdefault("LITELLM_LOG", "ERROR")
            try:
                import litellm
            except ImportError as error:
                raise BackendFailure(f"litellm cannot be used: {error}; run `make setup`", kind="systemic") from error
            litellm.suppress_debug_info = True
            litellm.drop_params = True
            litellm.telemetry = False
            for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
                logger = logging.getLogger(name)
                logger.handlers.clear()
                logger.setLevel(logging.CRITICAL)
                logger.propagate = False
            _loaded.append(litellm)
    return _loaded[0]


class _Connections:
    """The connections of all backends, which end with the last of them.

    litellm makes clients of its own out of what stands in `aclient_session` at that moment, and keeps them by key and
    address: whoever closed connections of one backend would close those of others, or of the one that replaces it.
    """

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._users = 0

    def join(self, litellm: Any) -> httpx.AsyncClient:
        """Use them; returns what they are known by."""
        from engine.llm.capped import client

        if self._client is None or self._loop is not asyncio.get_running_loop():
            litellm.in_memory_llm_clients_cache.flush_cache()
            self._client = litellm.aclient_session = client()
            self._loop, self._users = asyncio.get_running_loop(), 0
        self._users += 1
        return self._client

    async def leave(self, litellm: Any, joined: httpx.AsyncClient) -> None:
        """Use them no more."""
        if joined is not self._client:
            return  # those of another loop, which has ended
        self._users -= 1
        if not self._users:
            self._client = litellm.aclient_session = None
            litellm.in_memory_llm_clients_cache.flush_cache()
            await joined.aclose()


_connections = _Connections()


class LiteLLMBackend:
    """Implements `engine.contracts.llm.Backend`; a mode is a model's name."""

    def __init__(self, options: BackendOptions) -> None:
        self._options = options
        self._joined: httpx.AsyncClient | None = None

    def _model(self, mode: str) -> str:
        return f"{self._options.provider or self._options.name}/{mode}"

    def price(self, mode: str) -> Price | None:
        """From litellm's own list, without the network; an own server's price is nobody's to know."""
        info = self._info(mode)
        if info is None or info.get("input_cost_per_token") is None or info.get("output_cost_per_token") is None:
            return None
        per_in, per_out = _highest(info, "input_cost_per_token"), _highest(info, "output_cost_per_token")
        return Price(in_per_million=_micros(per_in), out_per_million=_micros(per_out))

    def context_tokens(self, mode: str) -> int | None:
        """From the same list."""
        tokens = (self._info(mode) or {}).get("max_input_tokens")
        return int(tokens) if isinstance(tokens, int) else None

    def _info(self, mode: str) -> dict[str, Any] | None:
        if self._options.base_url is not None or not _loaded:
            return None
        try:
            return dict(_loaded[0].get_model_info(self._model(mode)))
        except Exception:  # litellm raises plain exceptions for a model that it does not know
            return None

    def busy(self) -> str | None:
        """HTTP is never busy."""
        return None

    async def prepare(self) -> None:
        """Load litellm in a thread."""
        litellm = await asyncio.to_thread(_load)
        if self._joined is None:
            self._joined = _connections.join(litellm)

    async def call(self, sent: Sent) -> Answered:
        """One request, without retries of its own."""
        litellm = await asyncio.to_thread(_load)
        asked: dict[str, Any] = {
            "model": self._model(sent.mode),
            "messages": [{"role": message.role, "content": message.content} for message in sent.messages],
            "temperature": sent.temperature,
            "max_tokens": sent.max_tokens,
            "timeout": sent.timeout_s,
            "num_retries": 0,
            "max_retries": 0,
            "api_base": self._options.base_url,
            # An own server may need no key; litellm refuses to go without one.
            "api_key": self._options.key or ("none" if self._options.base_url else None),
        }
        if sent.json_schema is not None:
            asked["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": dict(sent.json_schema)},
            }
        try:
            response = await litellm.acompletion(**asked)
        except Exception as error:
            _translate(error)
        return _answered(litellm, response, is_priced=self._options.base_url is None)

    async def close(self) -> None:
        """Close the connections."""
        joined, self._joined = self._joined, None
        if joined is not None:
            await _connections.leave(_load(), joined)


def _answered(litellm: Any, response: Any, *, is_priced: bool) -> Answered:
    try:
        text = response.choices[0].message.content
    except (AttributeError, IndexError, TypeError) as error:
        raise BackendFailure("the answer has no choices", kind="transient", is_charged=True) from error
    if not isinstance(text, str):
        raise BackendFailure("the answer has no text", kind="item", is_charged=True)
    usage: Any = getattr(response, "usage", None)
    told = (getattr(usage, "prompt_tokens", 0) or 0) > 0
    cost = None
    if told and is_priced:
        try:
            cost = _ceil(float(litellm.completion_cost(completion_response=response)) * 1_000_000)
        except Exception:  # no price: what was reserved counts
            cost = None
    return Answered(
        text=text,
        # A 200 without usage comes as zero tokens: not told.
        tokens_in=int(usage.prompt_tokens) if told else None,
        tokens_out=int(usage.completion_tokens or 0) if told else None,
        cost_usd_micros=cost,
    )


def _translate(error: Exception) -> NoReturn:
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    headers = dict(getattr(response, "headers", None) or getattr(error, "litellm_response_headers", None) or {})
    text = safe_line(str(getattr(error, "message", None) or error), 600)
    raise classify(
        text,
        status=status if isinstance(status, int) else None,
        headers={str(name).lower(): str(value) for name, value in headers.items()},
        is_timeout="Timeout" in type(error).__name__,
        is_too_long="ContextWindow" in type(error).__name__,
        is_policy="ContentPolicy" in type(error).__name__,
        is_unsent=any(name.startswith(_NO_CONNECTION) for name in _causes(error)),
    ) from error


def _causes(error: BaseException) -> list[str]:
    """Names of what an error was made of."""
    names, seen = [], 0
    cause: BaseException | None = error
    while cause is not None and seen < 20:
        names.append(type(cause).__name__)
        cause, seen = cause.__cause__ or cause.__context__, seen + 1
    return names


def _highest(info: dict[str, Any], name: str) -> float:
    """The price of a token; a long question costs more with some models, and the higher price is the safe one."""
    found = [value for key, value in info.items() if key == name or key.startswith(f"{name}_above_")]
    return max(float(value) for value in found if isinstance(value, int | float))


def _micros(usd_per_token: float) -> int:
    return _ceil(usd_per_token * 1_000_000 * 1_000_000)


def _ceil(value: float) -> int:
    """Money is rounded up: a limit must hold."""
    return -int(-round(value, 6) // 1)
