"""The shared HTTP client against a real server on this machine."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.kit.http import (
    Http,
    HttpRefused,
    HttpStatusError,
    HttpTimeout,
    HttpTooLarge,
    HttpUnreachable,
    Response,
)
from tests.kit.web import Answer, Web, reply, web


@asynccontextmanager
async def client(**pages: Answer) -> AsyncIterator[tuple[Http, Web]]:
    """A client that may talk to a server of its own on this machine, without pauses between its tries."""
    async with web(**pages) as it:
        http = Http(allow=[f"127.0.0.1:{it.port}"], pause_s=0.0)
        try:
            yield http, it
        finally:
            await http.close()


async def test_answer_comes_whole_and_decoded() -> None:
    text = "grün".encode("latin-1")
    async with client(page=reply(200, text, content_type="text/plain; charset=latin-1", x_Id="7")) as (http, it):
        answer = await http.get(f"{it.url}/page", params={"q": "a b"}, headers={"X-Mine": "1"})
        ((method, path, headers),) = it.requests
    assert (answer.status, answer.text, answer.headers["x-id"]) == (200, "grün", "7")
    assert (method, path, headers["x-mine"]) == ("GET", "/page?q=a+b", "1")
    assert headers["user-agent"].startswith("rivus")


async def test_body_is_sent_as_json() -> None:
    async with client(page=reply(200, b'{"ok":[1]}')) as (http, it):
        answer = await http.request("POST", f"{it.url}/page", json={"a": 1})
        ((method, _, headers),) = it.requests
    assert (method, headers["content-type"], headers["content-length"]) == ("POST", "application/json", "8")
    assert answer.json() == {"ok": [1]}


@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)], ids=["gzip", "deflate"]
)
async def test_compressed_body_is_bounded_as_it_is_decoded(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    async with client(
        small=reply(200, encode(b"x" * 1_000), content_encoding=encoding),
        bomb=reply(200, encode(b"\0" * 40_000_000), content_encoding=encoding),
        broken=reply(200, b"no such thing", content_encoding=encoding),
        other=reply(200, b"x", content_encoding="br"),
    ) as (http, it):
        assert (await http.get(f"{it.url}/small")).content == b"x" * 1_000
        with pytest.raises(HttpTooLarge, match="more than 10,000,000 bytes"):
            await http.get(f"{it.url}/bomb")
        for page in ("broken", "other"):
            with pytest.raises(HttpUnreachable):
                await http.get(f"{it.url}/{page}")


async def test_body_without_end_is_cut() -> None:
    endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + b"z" * 3_000_000
    async with client(page=endless) as (http, it):
        with pytest.raises(HttpTooLarge):
            await http.get(f"{it.url}/page", body_max=1_000_000)


async def test_error_status_is_an_error_with_its_wait_and_without_its_query() -> None:
    async with client(page=reply(429, b"slow down", retry_after="30")) as (http, it):
        with pytest.raises(HttpStatusError) as raised:
            await http.get(f"{it.url}/page?token=secret")
        assert (raised.value.status, raised.value.retry_after_s) == (429, 30)
        assert str(raised.value) == f"HTTP 429 Too Many Requests (retry-after: 30): {it.url}/page"
        answer = await http.get(f"{it.url}/page", any_status=True)
        assert (answer.status, answer.text) == (429, "slow down")
    assert len(it.requests) == 2


async def test_broken_answers_are_tried_again_and_only_of_what_changes_nothing() -> None:
    answers = itertools.cycle([reply(503), b"", reply(200, b"at last")])
    async with client(page=lambda: next(answers)) as (http, it):
        assert (await http.get(f"{it.url}/page")).text == "at last"
        assert len(it.requests) == 3
        with pytest.raises(HttpStatusError, match="HTTP 503"):
            await http.request("POST", f"{it.url}/page", content=b"x")
        with pytest.raises(HttpUnreachable):
            await http.request("POST", f"{it.url}/page", content=b"x")
        assert len(it.requests) == 5


async def test_silence_ends_at_the_deadline() -> None:
    async with client(page=None) as (http, it):
        with pytest.raises(HttpTimeout, match="timed out"):
            await http.get(f"{it.url}/page", timeout_s=0.1)


async def test_nobody_there_is_unreachable() -> None:
    async with web() as it:
        pass
    with pytest.raises(HttpUnreachable):
        await Http(allow=["127.0.0.1"], pause_s=0.0).get(it.url)


async def test_redirects_are_followed_a_little_and_carry_no_secrets_elsewhere() -> None:
    async with client(
        a=lambda: reply(302, location="/b"),
        b=reply(200, b"here"),
        post=reply(303, location="/b"),
        loop=reply(302, location="/loop"),
    ) as (http, it):
        answer = await http.get(f"{it.url}/a", headers={"Authorization": "x"})
        assert (answer.url, answer.text) == (f"{it.url}/b", "here")
        assert it.requests[1][2]["authorization"] == "x"
        assert (await http.request("POST", f"{it.url}/post", content=b"x")).text == "here"
        assert it.requests[-1][0] == "GET"
        with pytest.raises(HttpRefused, match="more than 3 redirects"):
            await http.get(f"{it.url}/loop")
        assert (await http.get(f"{it.url}/a", redirects=0)).status == 302
        it.pages["/away"] = reply(302, location=f"http://localhost:{it.port}/b")
        both = Http(allow=[f"127.0.0.1:{it.port}", f"localhost:{it.port}"])
        await both.get(f"{it.url}/away", headers={"Authorization": "x", "Cookie": "y", "X-Mine": "1"})
        last = it.requests[-1][2]
        assert ("authorization" in last, "cookie" in last, last["x-mine"]) == (False, False, "1")
        await both.close()


@pytest.mark.parametrize(
    "url",
    [
        *("", "page", "file:///etc/passwd", "ftp://example.org/", "gopher://x", "http://", "http:///x"),
        "https://user:key@example.org/",
        *("javascript:alert(1)", "http://exa mple.org/", "http://[::1", "http://example.org:99999/"),
        "http://" + "a" * 9_000,
    ],
)  # fmt: skip
async def test_what_is_no_url_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(HttpRefused):
        await Http().get(url)


async def test_plain_function_waits_in_its_own_thread() -> None:
    async with client(page=reply(200, b"there")) as (http, it):
        answers: list[Response] = await asyncio.gather(
            *(asyncio.to_thread(http.get_and_wait, f"{it.url}/page") for _ in range(4))
        )
        assert {answer.text for answer in answers} == {"there"}


async def test_proxy_gets_the_request_and_the_target_is_checked_all_the_same() -> None:
    async def resolve(host: str, _port: int) -> list[str]:
        if host == "hidden.example.org":
            return ["10.0.0.1"]
        raise OSError("only the proxy knows")

    async with web() as proxy:
        proxy.pages["http://example.org/page"] = reply(200, b"through")
        http = Http(proxy=proxy.url, resolve=resolve)
        assert (await http.get("http://example.org/page")).text == "through"
        for url in ("http://hidden.example.org/", "http://169.254.169.254/", "http://0x7f.1/", "http://localhost/"):
            with pytest.raises(HttpRefused):
                await http.get(url)
        assert proxy.connections == 1
        await http.close()


async def test_environment_may_name_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with web() as proxy, web(page=reply(200, b"direct")) as near:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        proxy.pages["http://example.org/page"] = reply(200, b"through")
        http = Http(allow=["127.0.0.1"], resolve=_public)
        assert (await http.get("http://example.org/page")).text == "through"
        assert (await http.get(f"{near.url}/page")).text == "direct"
        await http.close()


async def _public(_host: str, _port: int) -> list[str]:
    return ["93.184.215.14"]


def test_httpx_is_not_imported_before_a_request() -> None:
    code = "import sys; from engine.kit.http import Http; Http(); sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_response_reads_odd_headers() -> None:
    def answer(**headers: Any) -> Response:
        return Response(url="http://x/", status=200, headers=headers, content=b"\xff")

    assert answer(**{"content-type": "text/html; charset=no-such"}).text == "�"
    assert answer(**{"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}).retry_after_s is None
