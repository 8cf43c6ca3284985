"""An HTTP client that reads no more of an answer than it may have, and notes what servers really said.

litellm gives failures statuses of its own making, and loses headers on the way; what came over the wire does not lie.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import field
from typing import Final

import httpx

from engine.contracts.values import dataclass
from engine.kit.http_wire import proxy_of_environment
from engine.llm.backends import is_this_machine

_BODY_LIMIT: Final = 16 << 20
"""Largest answer of a server in bytes; more is refused while it is read."""


@dataclass(slots=True)
class Heard:
    """What the last response to one call said; None and nothing where none came."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """With lower-case names."""


_listening: ContextVar[Heard | None] = ContextVar("_listening", default=None)


def listen() -> Heard:
    """Note what is answered to the requests that this task sends from here on."""
    heard = Heard()
    _listening.set(heard)
    return heard


def client() -> httpx.AsyncClient:
    """A client for model servers: no redirects, and no deadline of its own: the call has one."""
    return httpx.AsyncClient(transport=Capped(), timeout=None, follow_redirects=False)


class Capped(httpx.AsyncHTTPTransport):
    """Reads no more of an answer than it may have, and lets those hear of it who listen.

    Whatever client stands on it, a key is not taken along to where a redirect leads. The environment's proxy is used,
    which a client with a transport of its own does not do by itself, but never for this machine.
    """

    def __init__(self) -> None:
        super().__init__()
        self._behind: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        proxy = None if is_this_machine(host) else proxy_of_environment(request.url.scheme, host)
        if proxy is None:
            response = await super().handle_async_request(request)
        else:
            if proxy not in self._behind:
                self._behind[proxy] = httpx.AsyncHTTPTransport(proxy=proxy)
            response = await self._behind[proxy].handle_async_request(request)
        if (heard := _listening.get()) is not None:
            heard.status = response.status_code
            heard.headers = {name.lower(): value for name, value in response.headers.items()}
        response.headers.pop("location", None)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _CappedStream(response.stream)
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        await super().aclose()
        for transport in self._behind.values():
            await transport.aclose()


class _CappedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._inner:
            size += len(part)
            if size > _BODY_LIMIT:
                raise httpx.ReadError(f"the answer is larger than {_BODY_LIMIT >> 20} MiB")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()
