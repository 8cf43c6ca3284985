"""An HTTP client that reads no more of an answer than it may have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import httpx

_BODY_LIMIT: Final = 16 << 20
"""Largest answer of a server in bytes; more is refused while it is read."""


def client() -> httpx.AsyncClient:
    """A client for model servers: no redirects, and no deadline of its own: the call has one."""
    return httpx.AsyncClient(transport=_Capped(), timeout=None, follow_redirects=False)


class _Capped(httpx.AsyncHTTPTransport):
    """Reads no more of an answer than it may have."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _CappedStream(response.stream)
        return response


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
