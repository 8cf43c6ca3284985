"""Links that leave the repository, asked for at a real server on this machine."""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Collection, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from engine.kit.http import Http
from engine.kit.trial import TrialDiscovery
from plugins.checks.doc_health import discover
from plugins.checks.external_links import ExternalLinks
from tests.plugins.checks.conftest import Project


class Pages(BaseHTTPRequestHandler):
    """`/404` answers 404, and so on; `/get-only` refuses HEAD."""

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        self.asked[f"{self.command} {self.path}"] += 1
        word = self.path.lstrip("/").partition("?")[0]
        status = 405 if word == "get-only" and self.command == "HEAD" else int(word) if word.isdigit() else 200
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    Pages.asked.clear()
    thread = Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


async def resolve(host: str, port: int) -> Collection[str]:
    if host == "gone.dev":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if host == "slow.dev":
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return [host]


def client(server: str) -> Http:
    return Http(allow=[server], resolve=resolve, pause_s=0.0)


async def test_dead_links_are_found_with_their_place_and_the_rest_is_left_alone(
    project: Project, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project.write(
        {
            "README.md": f"# A\n\n[good](http://{server}/ok#part) [gone](http://{server}/404) [up](http://{server}/410)\n"
            f"[get](http://{server}/get-only) [ill](http://{server}/503) [shut](http://{server}/403)\n"
            "[nobody](http://gone.dev/x) [later](http://slow.dev/) [mine](http://10.0.0.1/) [sample](http://a.example/)\n"
            f"[templated](http://{server}/{{id}}) [left](http://{server}/404?left)\n"
        }
    )
    ctx = TrialDiscovery(
        root=project.root,
        job="doc-health",
        params={"external": True, "ignore": [f"http://{server}/404?left"]},
        http=client(server),
    )
    found = [(one.line, one.title) async for one in discover(ctx)]
    assert found == [
        (3, f"README.md links to http://{server}/404, which its server does not know (404)"),
        (3, f"README.md links to http://{server}/410, which its server has given up (410)"),
        (5, "README.md links to http://gone.dev/x, whose host has no address"),
    ]
    assert ctx.scopes == [((".",), True)]
    assert Pages.asked["GET /get-only"] == 1
    assert not any("left" in one or "{" in one for one in Pages.asked)


async def test_nobody_is_asked_unless_the_job_says_so(project: Project, server: str) -> None:
    project.write({"README.md": f"[gone](http://{server}/404)\n"})
    ctx = TrialDiscovery(root=project.root, job="doc-health", http=client(server))
    assert [one async for one in discover(ctx)] == []
    assert not Pages.asked


async def test_answers_are_kept_and_a_server_that_fails_says_nothing_new(server: str, tmp_path: Path) -> None:
    kept = tmp_path / "links.json"

    async def dead(http: Http, *paths: str) -> set[str]:
        links = ExternalLinks(http, tmp_path, kept=kept)
        return set(await links.dead(f"http://{server}/{path}" for path in paths))

    assert await dead(client(server), "404", "ok") == {f"http://{server}/404"}
    asked = Pages.asked.total()
    assert await dead(client(server), "404", "ok") == {f"http://{server}/404"}
    assert Pages.asked.total() == asked

    kept.write_text(re.sub(r'"at": [0-9.]+', '"at": 1.0', kept.read_text()))  # years ago
    offline = Http(allow=[server], resolve=resolve, pause_s=0.0, proxy="http://127.0.0.1:9")
    assert await dead(offline, "404", "ok") == {f"http://{server}/404"}
    kept.write_text("[broken")
    assert await dead(client(server), "404") == {f"http://{server}/404"}


async def test_without_a_network_no_host_counts_as_gone(tmp_path: Path) -> None:
    links = ExternalLinks(Http(resolve=resolve, pause_s=0.0), tmp_path, kept=tmp_path / "links.json")
    assert await links.dead(["http://gone.dev/"]) == {}
    assert links.unsure == 1


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("https://sqlite.org/wal.html", True),
        ("http://[::1", False),
        ("mailto:a@b.dev", False),
        ("https://api.example.com/v1", False),
        ("http://localhost:8080/", False),
        ("https://x.dev/{id}", False),
    ],
)
def test_only_what_can_be_asked_for_is(target: str, wanted: bool, tmp_path: Path) -> None:
    assert ExternalLinks(Http(), tmp_path, kept=tmp_path / "links.json").wants(target) is wanted
