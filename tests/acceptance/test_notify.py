"""`rivus notify test` against a real server, and which secrets are set."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.acceptance.command_line import Rivus


class Service(BaseHTTPRequestHandler):
    heard: list[dict[str, str]]

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.heard.append(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[tuple[int, list[dict[str, str]]]]:
    heard: list[dict[str, str]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Own", (Service,), {"heard": heard}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, heard
    server.shutdown()
    server.server_close()


def test_message_is_sent_now_and_secrets_are_named_not_shown(
    letters: Rivus, service: tuple[int, list[dict[str, str]]]
) -> None:
    port, heard = service
    letters("notify", "test", code=2).refused(2, "notify")
    file = letters.root / "jobs.yaml"
    before = file.read_text()
    assert "settings:" not in before
    file.write_text(
        before + "\nsettings:\n  doctor:\n    quiet: 00:00-23:59\n    notify:\n"
        f"      - json://127.0.0.1:{port}/\n      - json://127.0.0.1:1/${{NOBODY_KNOWS}}\n"
    )
    ran = letters("notify", "test", code=1)
    assert ran.out == "1. json: sent\n"
    assert ran.err == "2. json: NOBODY_KNOWS not set\n"
    assert [told["title"] for told in heard] == ["Rivus"]
    assert letters("info", "--json").object["keys"]["NOBODY_KNOWS"] == "not set"
    letters("open", "rivus://nowhere", code=2).refused(2, "there is no screen")
