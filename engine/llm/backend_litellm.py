"""Models behind HTTP, by litellm: loaded in a thread when the first call is made, silenced, and its errors translated.

litellm is used for the call alone. It loads for seconds, may read a `.env`, prints on stderr and fetches a price list
when it is imported: the variables below forbid that before, and its handlers are taken off after.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.contracts.llm import Answered, BackendFailure, BackendOptions, Price, Sent
from engine.kit.tasks import beside
from engine.llm.litellm_answer import answered, dearer, translated

if TYPE_CHECKING:
    import httpx

    from engine.llm.capped import Capped

_SPARED: Final[Mapping[str, tuple[re.Pattern[str], str | None]]] = {
    "max_tokens": (re.compile(r"max_completion_tokens", re.I), "max_completion_tokens"),
    "response_format": (re.compile(r"response.?(?:format|schema)|json.?schema|structured|guided|grammar", re.I), None),
    "temperature": (re.compile(r"temperature", re.I), None),
}
"""What not every server takes: how one says so that it does not, and what is sent instead."""
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
    For providers that it does not reach by OpenAI's library it has no such setting; what it makes there is replaced.
    """

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._users = 0
        self._more: list[Capped] = []

    def join(self, litellm: Any) -> httpx.AsyncClient:
        """Use them; returns what they are known by."""
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        from engine.llm.capped import client

        if self._client is None or self._loop is not asyncio.get_running_loop():
            litellm.in_memory_llm_clients_cache.flush_cache()
            self._client = litellm.aclient_session = client()
            handler: Any = AsyncHTTPHandler
            handler.create_async_transport = staticmethod(self._another)
            handler.create_httpx_proxy_mounts = staticmethod(lambda *_args, **_more: {})
            self._more = []
            self._loop, self._users = asyncio.get_running_loop(), 0
        self._users += 1
        return self._client

    def _another(self, *_args: Any, **_more: Any) -> Capped:
        from engine.llm.capped import Capped

        self._more.append(made := Capped())
        return made

    async def leave(self, litellm: Any, joined: httpx.AsyncClient) -> None:
        """Use them no more."""
        if joined is not self._client:
            return  # those of another loop, which has ended
        self._users -= 1
        if not self._users:
            self._client = litellm.aclient_session = None
            litellm.in_memory_llm_clients_cache.flush_cache()
            more, self._more = self._more, []
            await joined.aclose()
            for transport in more:
                await transport.aclose()


_connections = _Connections()


class LiteLLMBackend:
    """Implements `engine.contracts.llm.Backend`; a mode is a model's name."""

    def __init__(self, options: BackendOptions) -> None:
        self._options = options
        self._joined: httpx.AsyncClient | None = None
        self._refused: dict[str, set[str]] = {}
        """Mode → what its server does not take."""

    def _model(self, mode: str) -> str:
        return f"{self._options.provider or self._options.name}/{mode}"

    def price(self, mode: str) -> Price | None:
        """From litellm's own list, without the network; an own server's price is nobody's to know."""
        info = self._info(mode)
        if info is None:
            return None
        # What it tells of a model has zero where its list has nothing: that would be a model that costs nothing.
        listed = _loaded[0].model_cost.get(info.get("key")) or {}
        per_in = _highest(listed, "input_cost_per_token")
        per_out = _highest(listed, "output_cost_per_token", "output_cost_per_reasoning_token")
        if per_in is None or per_out is None or listed.get("input_cost_per_request"):
            return None
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
        litellm = await beside(_load)
        if self._joined is None:
            self._joined = _connections.join(litellm)

    async def call(self, sent: Sent) -> Answered:
        """One request, without retries of its own; one more where a server does not take what it need not have."""
        from engine.llm.capped import listen

        litellm = await beside(_load)
        asked: dict[str, Any] = {
            **self._options.params,
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
        for name in self._refused.get(sent.mode, ()):
            _spare(asked, name)
        while True:
            heard = listen()
            try:
                response = await litellm.acompletion(**asked)
            except Exception as error:
                failure = translated(error, heard)
                refused = _not_taken(asked, failure)
                if refused is None:
                    raise failure from error
                _spare(asked, refused)
                self._refused.setdefault(sent.mode, set()).add(refused)
                continue
            return answered(litellm, response, sent.max_tokens, is_priced=self._options.base_url is None)

    async def close(self) -> None:
        """Close the connections."""
        joined, self._joined = self._joined, None
        if joined is not None:
            await _connections.leave(_load(), joined)


def _not_taken(asked: Mapping[str, Any], failure: BackendFailure) -> str | None:
    """What of a request its server does not take, by the words of its refusal; None: that is not why."""
    if failure.status not in (400, 422) or failure.kind in ("context", "throttled", "systemic"):
        return None
    return next((name for name, (said, _) in _SPARED.items() if name in asked and said.search(str(failure))), None)


def _spare(asked: dict[str, Any], name: str) -> None:
    """Take out of a request what its server does not take."""
    value, instead = asked.pop(name, None), _SPARED[name][1]
    if instead is not None and value is not None:
        asked[instead] = value


def _highest(listed: Mapping[str, Any], *names: str) -> float | None:
    """The price of a token; None: not known.

    A long question or a thought costs more with some models, and the higher price is the safe one.
    """
    tiers = listed.get("tiered_pricing")
    found = [
        float(value)
        for entry in (listed, *(tiers if isinstance(tiers, Sequence) else ()))
        for key, value in entry.items()
        if isinstance(value, int | float) and any(key == name or key.startswith(f"{name}_above_") for name in names)
    ]
    return max(found, default=None)


def _micros(usd_per_token: float) -> int:
    return dearer(usd_per_token * 1_000_000 * 1_000_000)
