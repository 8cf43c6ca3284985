"""The wire below `engine.kit.http`: httpx's connection pool over a network that connects only to checked addresses."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import urllib.request
import zlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
import httpx

from engine.kit.addresses import is_allowed, why_host_refused, why_refused
from engine.kit.http import HttpRefused, HttpTimeout, HttpTooLarge, HttpUnreachable, Resolve, Response, shown

_CONNECT_S: Final = 10.0
_READ_S: Final = 30.0
"""Longest silence of a server."""
_HEADERS_MAX: Final = 200
_URL_MAX: Final = 8_000
_CHUNK: Final = 65_536
_CONNECTIONS: Final = httpx.Limits(max_connections=50, max_keepalive_connections=10, keepalive_expiry=15.0)


async def system_resolve(host: str, port: int) -> Collection[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Refused(Exception):
    """Carries a refusal through httpcore, which maps the exceptions that it knows."""


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Looks a name up once, checks every address of it, and connects to one that was checked."""

    def __init__(self, allow: Collection[str], resolve: Resolve) -> None:
        self._allow = allow
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self.checked(host, port)
        for number, address in enumerate(addresses, 1):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                if number == len(addresses):
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    async def checked(self, host: str, port: int) -> list[str]:
        """Addresses of a host, each of which may be connected to; _Refused says why not."""
        allowed = is_allowed(host, port, self._allow)
        if not allowed and (why := why_host_refused(host)):
            raise _Refused(f"{host} {why}")
        try:
            ipaddress.ip_address(host)
            addresses = [host]
        except ValueError:
            addresses = await self._looked_up(host, port)
        for address in () if allowed else addresses:
            if why := why_refused(address):
                raise _Refused(f"{host}: {address} {why}")
        return addresses

    async def _looked_up(self, host: str, port: int) -> list[str]:
        try:
            return list(await self._resolve(host.rstrip("."), port))
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be looked up: {error}") from error

    async def connect_unix_socket(self, *_args: Any, **_more: Any) -> httpcore.AsyncNetworkStream:
        raise _Refused("a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Wire:
    """Sends one request at a time of each caller; knows no redirects and no second try."""

    def __init__(self, *, allow: Collection[str], proxy: str | None, resolve: Resolve | None) -> None:
        self._proxy = proxy
        self._network = _CheckedNetwork(allow, resolve or system_resolve)
        self._behind_proxy: dict[str, httpx.AsyncHTTPTransport] = {}
        self._direct = self._transport(None)

    def _transport(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        context = ssl.create_default_context()
        transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=_CONNECTIONS, proxy=proxy)
        pool: Any = transport._pool
        # httpx has no argument for it. A proxy was chosen by a person and may stand anywhere.
        pool._network_backend = self._network if proxy is None else httpcore.AnyIOBackend()
        return transport

    def url(self, url: str, params: Mapping[str, str | int | float] | None) -> str:
        """The URL as it is sent; HttpRefused when it is none, or has a user in it."""
        try:
            parsed = httpx.URL(url, params=dict(params)) if params else httpx.URL(url)
        except (httpx.InvalidURL, TypeError, ValueError, UnicodeError) as error:
            raise HttpRefused(f"no URL: {shown(str(url))}") from error
        return self._checked(parsed)

    def join(self, url: str, to: str) -> str:
        """Where a redirect leads."""
        try:
            return self._checked(httpx.URL(url).join(to))
        except (httpx.InvalidURL, TypeError, ValueError, UnicodeError) as error:
            raise HttpRefused(f"redirected to what is no URL, from {shown(url)}") from error

    @staticmethod
    def _checked(url: httpx.URL) -> str:
        text = str(url)
        if url.scheme not in ("http", "https") or not url.host:
            raise HttpRefused(f"only http and https: {shown(text)}")
        if url.port is not None and not 0 < url.port < 65_536:
            raise HttpRefused(f"no port: {shown(text)}")
        if url.userinfo:
            raise HttpRefused(f"a user in the URL; send it in a header: {shown(text)}")
        if len(text) > _URL_MAX:
            raise HttpRefused(f"a URL of more than {_URL_MAX:,} characters: {shown(text)}")
        return text

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        *,
        body_max: int,
        timeout_s: float,
    ) -> Response:
        """Send one request and read the whole answer."""
        read = min(_READ_S, timeout_s)
        request = httpx.Request(
            method,
            url,
            headers={**headers, "accept-encoding": "gzip, deflate"},
            content=content,
            extensions={"timeout": {"connect": min(_CONNECT_S, timeout_s), "read": read, "write": read, "pool": read}},
        )
        try:
            transport = await self._way(url)
            answer = await transport.handle_async_request(request)
            try:
                body = await _read(answer, url, body_max, head=method == "HEAD")
            finally:
                await answer.aclose()
        except _Refused as error:
            raise HttpRefused(str(error)) from error
        except (httpx.TimeoutException, httpcore.TimeoutException) as error:
            raise HttpTimeout(f"timed out: {shown(url)}") from error
        except (httpx.HTTPError, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise HttpUnreachable(f"{str(error) or type(error).__name__}: {shown(url)}") from error
        return Response(
            url=url,
            status=answer.status_code,
            headers={name.lower(): value for name, value in list(answer.headers.items())[:_HEADERS_MAX]},
            content=body,
        )

    async def _way(self, url: str) -> httpx.AsyncHTTPTransport:
        """The transport for a URL: direct, or through the proxy that a person or the environment names."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = self._proxy or proxy_of_environment(parts.scheme, host)
        if not proxy:
            return self._direct
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with contextlib.suppress(httpcore.ConnectError):  # then only the proxy knows this name
            await self._network.checked(host, port)
        if proxy not in self._behind_proxy:
            self._behind_proxy[proxy] = self._transport(proxy)
        return self._behind_proxy[proxy]

    async def close(self) -> None:
        """Close every connection."""
        for transport in (self._direct, *self._behind_proxy.values()):
            await transport.aclose()


def proxy_of_environment(scheme: str, host: str) -> str | None:
    """The proxy that `HTTPS_PROXY` and its like name for a host; None: none, or `NO_PROXY` leaves it out."""
    found = urllib.request.getproxies_environment()
    if not found or urllib.request.proxy_bypass(host):
        return None
    return found.get(scheme) or found.get("all")


async def _read(answer: httpx.Response, url: str, body_max: int, *, head: bool) -> bytes:
    """Read and decode a body; never more of it is in memory than `body_max` and a chunk."""
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if head:
        return b""
    if encoding in ("gzip", "x-gzip", "deflate"):
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 32 if "gzip" in encoding else zlib.MAX_WBITS)
    elif encoding in ("identity", ""):
        decoder = None
    else:
        raise HttpUnreachable(f"an encoding that was not asked for ({encoding[:40]}): {shown(url)}")
    body = bytearray()
    stream: Any = answer.stream
    async for chunk in stream:
        while chunk:
            if decoder is None:
                body += chunk
                chunk = b""
            else:
                try:
                    body += decoder.decompress(chunk, _CHUNK)
                except zlib.error as error:
                    raise HttpUnreachable(f"a body that cannot be decoded: {shown(url)}") from error
                chunk = decoder.unconsumed_tail
            if len(body) > body_max:
                raise HttpTooLarge(f"more than {body_max:,} bytes: {shown(url)}")
    return bytes(body)
