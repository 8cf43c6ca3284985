"""The HTTP client that handlers and discoveries share: bounded in time and size, and never led home.

httpx is imported when the first request is made. Every address is looked up once, checked, and connected to as checked
(`engine.kit.http_wire`), each redirect anew. What answers with an error status, too slowly or with too much is a typed
error; one policy tries again what can be tried again.
"""

from __future__ import annotations

import asyncio
import json as json_module
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line

if TYPE_CHECKING:
    from engine.kit.http_wire import Wire

T = TypeVar("T")

BODY_MAX: Final = 10_000_000
"""Largest body, decoded, in bytes."""
TIMEOUT_S: Final = 60.0
"""Longest time of a whole request, redirects and further tries included."""
REDIRECTS_MAX: Final = 3
TRIES: Final = 3
"""How often a request that changes nothing is sent at most."""

Resolve = Callable[[str, int], Awaitable[Collection[str]]]
"""Gives the addresses of a host name; raises OSError."""


class HttpError(Exception):
    """A request came to nothing; the message names the URL without its query."""


class HttpRefused(HttpError):
    """The URL leads where nothing from outside may lead, or is no URL."""


class HttpUnreachable(HttpError):
    """No connection, or one that broke."""


class HttpTimeout(HttpError, TimeoutError):
    """The answer took too long."""


class HttpTooLarge(HttpError):
    """The body is larger than allowed."""


class HttpStatusError(HttpError):
    """The answer has an error status."""

    def __init__(self, message: str, response: Response) -> None:
        super().__init__(message)
        self.response = response
        self.status = response.status
        self.retry_after_s = response.retry_after_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """An answer, whole and within its bounds. Everything in it is data from outside."""

    url: str
    """Where it came from in the end."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes

    @property
    def text(self) -> str:
        """The body as text; what does not fit its charset is replaced."""
        _, _, rest = self.headers.get("content-type", "").partition("charset=")
        charset = rest.split(";")[0].strip(" \"'") if rest else "utf-8"
        try:
            return self.content.decode(charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; ValueError when it is none."""
        return json_module.loads(self.content)

    @property
    def retry_after_s(self) -> float | None:
        """For how long the server wants no more requests, when it says so in seconds."""
        told = self.headers.get("retry-after", "")
        return float(told) if told.isascii() and told.isdigit() and len(told) < 7 else None


class Http:
    """Implements `engine.contracts.context.Http`. Each loop has connections of its own."""

    def __init__(
        self,
        *,
        allow: Collection[str] = (),
        proxy: str | None = None,
        resolve: Resolve | None = None,
        agent: str = "rivus",
        pause_s: float = 0.5,
    ) -> None:
        """`allow`: hosts (`name` or `name:port`) that may be on this machine or its network; `proxy`: URL of one, or
        None for what the environment says; `resolve` stands in for the system's resolver; `pause_s`: before a second
        try, doubled before a third."""
        self._allow = tuple(host.lower() for host in allow)
        self._proxy = proxy
        self._resolve = resolve
        self._agent = agent
        self._pause_s = pause_s
        self._wires: WeakKeyDictionary[asyncio.AbstractEventLoop, Wire] = WeakKeyDictionary()
        self._beside: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    async def get(self, url: str, **more: Any) -> Response:
        """GET a URL; the keywords are those of `request`."""
        return await self.request("GET", url, **more)

    def get_and_wait(self, url: str, **more: Any) -> Response:
        """The same for a plain function."""
        return self._waited(self.request("GET", url, **more))

    def request_and_wait(self, method: str, url: str, **more: Any) -> Response:
        """`request` for a plain function."""
        return self._waited(self.request(method, url, **more))

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        timeout_s: float = TIMEOUT_S,
        body_max: int = BODY_MAX,
        redirects: int = REDIRECTS_MAX,
        any_status: bool = False,
    ) -> Response:
        """Send a request and return the whole answer; one of the errors below HttpError when there is none.

        `json` or `content` is the body; `any_status`: an error status is an answer too. GET and HEAD are tried again
        after a broken connection and after 502, 503 and 504, within `timeout_s`.
        """
        told = {name.lower(): value for name, value in (headers or {}).items()}
        if json is not None:
            content = json_module.dumps(json, allow_nan=False).encode()
            told.setdefault("content-type", "application/json")
        told.setdefault("user-agent", self._agent)
        target = self._open().url(url, params)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._follow(method.upper(), target, told, content, body_max, timeout_s, redirects)
        except HttpError:
            raise
        except TimeoutError as error:
            raise HttpTimeout(f"timed out after {timeout_s:g} s: {shown(target)}") from error
        if answer.status >= 400 and not any_status:
            raise HttpStatusError(_status_line(answer), answer)
        return answer

    async def _follow(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        content: bytes | None,
        body_max: int,
        timeout_s: float,
        redirects: int,
    ) -> Response:
        """Send, and go where the answer points to, each time as carefully as the first."""
        for left in range(redirects, -1, -1):
            answer = await self._send(method, url, headers, content, body_max, timeout_s)
            to = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or to is None or redirects == 0:
                return answer
            if not left:
                break
            following = self._open().join(url, to)
            if urlsplit(url).scheme == "https" and urlsplit(following).scheme != "https":
                raise HttpRefused(f"redirected from https to {shown(following)}")
            if _origin(following) != _origin(url):
                # What was meant for one host is not for another.
                headers = {name: value for name, value in headers.items() if name not in _SECRET_HEADERS}
            if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
                method, content = "GET", None
                headers = {name: value for name, value in headers.items() if not name.startswith("content-")}
            url = following
        raise HttpRefused(f"more than {redirects} redirects, the last one from {shown(url)}")

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, body_max: int, timeout_s: float
    ) -> Response:
        tries = TRIES if method in ("GET", "HEAD") else 1
        for number in range(1, tries + 1):
            try:
                answer = await self._open().send(method, url, headers, content, body_max=body_max, timeout_s=timeout_s)
            except HttpUnreachable:
                if number == tries:
                    raise
            else:
                if answer.status not in (502, 503, 504) or answer.retry_after_s is not None or number == tries:
                    return answer
            await asyncio.sleep(self._pause_s * 2 ** (number - 1))
        raise AssertionError("unreachable")

    def _open(self) -> Wire:
        loop = asyncio.get_running_loop()
        wire = self._wires.get(loop)
        if wire is None:
            # httpx takes longer to import than the engine to start.
            from engine.kit.http_wire import Wire

            wire = self._wires[loop] = Wire(allow=self._allow, proxy=self._proxy, resolve=self._resolve)
        return wire

    def _waited(self, request: Coroutine[Any, Any, T]) -> T:
        """Run a request from a thread that has no loop, on a loop of the client's own."""
        with self._lock:
            if self._beside is None:
                self._beside = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._beside.run_forever, name="http", daemon=True)
                self._thread.start()
            loop = self._beside
        return asyncio.run_coroutine_threadsafe(request, loop).result()

    def leave(self) -> None:
        """Close what plain functions have opened, and end the thread that it was in."""
        with self._lock:
            loop, self._beside = self._beside, None
            thread, self._thread = self._thread, None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(self.close(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def close(self) -> None:
        """Close the connections of this loop; the client opens new ones when it is asked again."""
        wire = self._wires.pop(asyncio.get_running_loop(), None)
        if wire is not None:
            await wire.close()


_SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def shown(url: str) -> str:
    """A URL for a message: its query and user may be secrets and are left out."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return safe_line(url.partition("?")[0], 200)
    return safe_line(f"{parts.scheme}://{host}{parts.path}", 200)


def _status_line(answer: Response) -> str:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = ""
    wait = answer.headers.get("retry-after")
    later = f" (retry-after: {safe_line(wait, 40)})" if wait else ""
    return f"HTTP {answer.status} {phrase}{later}: {shown(answer.url)}"
