"""The shared HTTP client as handlers and discoveries see it; its errors are those of `engine.kit.http`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class HttpResponse(Protocol):
    """An answer, whole and within its bounds. Everything in it is data from outside."""

    @property
    def url(self) -> str:
        """Where it came from, after redirects."""
        ...

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        ...

    @property
    def content(self) -> bytes:
        """The body, decoded; at most 10 MB unless `body_max` says otherwise."""
        ...

    @property
    def text(self) -> str: ...
    def json(self) -> Any: ...


class Http(Protocol):
    """Only http and https, only to public addresses and to hosts that `settings.http.allow` names."""

    async def get(self, url: str, **more: Any) -> HttpResponse:
        """GET a URL; the keywords are those of `request`."""
        ...

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        timeout_s: float = 60.0,
        body_max: int = 10_000_000,
        redirects: int = 3,
        any_status: bool = False,
    ) -> HttpResponse:
        """Send a request and return the whole answer; an error below `engine.kit.http.HttpError` when there is none.

        `json` or `content` is the body; `timeout_s` is for the whole; `any_status`: an error status is an answer too.
        """
        ...

    def get_and_wait(self, url: str, **more: Any) -> HttpResponse:
        """`get` for a plain function."""
        ...

    def request_and_wait(self, method: str, url: str, **more: Any) -> HttpResponse:
        """`request` for a plain function."""
        ...
