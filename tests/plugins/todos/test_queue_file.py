"""Imports of an old queue, and the push to ClickUp against a real server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.errors import UseError
from engine.contracts.outcome import Fail
from engine.kit.http import Http
from engine.kit.trial import TrialContext, TrialItem
from plugins.todos.clickup import NoToken, handle
from plugins.todos.queue_file import read_queue

QUEUE = """\
queue:
  - {id: 7, title: Mend the upload, status: in_progress, priority: High, effort: L, project: net, owner: ann}
  - {id: a-1, name: "Paint \\e[31mred", status: DONE, due: 2024-01-02}
  - {title: No id, status: wont-fix, priority: 0}
  - just a line
"""


def test_entries_become_items(tmp_path: Path) -> None:
    (tmp_path / "queue.yaml").write_text(QUEUE)
    found = read_queue(tmp_path / "queue.yaml")
    assert [(one["key"], one["title"], one["priority"], one["closed"]) for one in found][:2] == [
        ("import:7", "Mend the upload", 1, None),
        ("import:a-1", "Paint ␛[31mred", None, "done"),
    ]
    assert [(one["closed"], one["priority"]) for one in found[2:]] == [("cancelled", 0), (None, None)]
    assert found[0]["signals"] == {"effort": "large", "project": "net"}
    assert found[0]["data"]["imported"]["owner"] == "ann"
    assert found[1]["data"]["imported"]["due"] == "2024-01-02"
    assert read_queue(tmp_path / "queue.yaml") == found
    json.dumps(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: 1", "no list"), ("- {id: 1}", "entry 1 has no title"), ("- 7", "entry 1 is neither"), ("- [", "no YAML"),
     ("- {id: 1, title: a}\n- {id: 1, title: b}", "same id"), ("!!python/object/apply:os.system [ls]", "no YAML")],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_entry(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "q.yaml").write_text(text)
    with pytest.raises(UseError, match=words):
        read_queue(tmp_path / "q.yaml")


class ClickUp(ThreadingHTTPServer):
    """Lists and makes tasks, as the public API does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.tasks: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.swallow = 0
        """So many answers get lost after the task was made."""


class _Answers(BaseHTTPRequestHandler):
    server: ClickUp

    def do_POST(self) -> None:
        self.server.tokens.append(self.headers["Authorization"])
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        task = {"id": f"t{len(self.server.tasks) + 1}", "url": "https://app/t", **told}
        self.server.tasks.append(task | {"description": told["markdown_description"]})
        if self.server.swallow:
            self.server.swallow -= 1
            self.connection.close()
            return
        self._answer(task)

    def do_GET(self) -> None:
        page = int(self.path.split("page=")[1].split("&")[0])
        self._answer(
            {"tasks": self.server.tasks[page * 2 : page * 2 + 2], "last_page": page * 2 + 2 >= len(self.server.tasks)}
        )

    def _answer(self, told: Any) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Silent."""


@contextmanager
def clickup() -> Iterator[ClickUp]:
    server = ClickUp()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def context(server: ClickUp, tmp_path: Path, key: str = "k1") -> TrialContext:
    item = TrialItem(key=key, title="Mend it", data={"raw": "Mend it"}, path="TODO.md", line=3, priority=0)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    ctx = TrialContext(root=tmp_path, item=item, job="todos", params={"list": "123", "url": url})
    ctx.http = Http(allow=["127.0.0.1"], pause_s=0.0)
    return ctx


async def test_a_task_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKUP_TOKEN", "pk_1")
    with clickup() as server:
        outcome = await handle(context(server, tmp_path))
        assert outcome.output["task"] == "t1"  # type: ignore[union-attr]
        (task,) = server.tasks
        assert (task["name"], task["priority"], server.tokens) == ("Mend it", 1, ["pk_1"])
        assert "rivus:todos/k1" in task["markdown_description"]


async def test_a_lost_answer_makes_no_second_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKUP_TOKEN", "pk_1")
    with clickup() as server:
        for key in ("x1", "x2", "k11"):
            await handle(context(server, tmp_path, key))
        server.swallow = 9
        ctx = context(server, tmp_path)
        with pytest.raises(Exception, match=r".+"):
            await handle(ctx)
        server.swallow = 0
        made = len(server.tasks)
        outcome = await handle(ctx)
        assert (outcome.output["made"], outcome.output["task"]) == (False, "t4")  # type: ignore[union-attr]
        assert len(server.tasks) == made == 4


async def test_without_a_token_or_a_list_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLICKUP_TOKEN", raising=False)
    with clickup() as server:
        ctx = context(server, tmp_path)
        with pytest.raises(NoToken):
            await handle(ctx)
        ctx.params = {"list": "../team"}
        assert isinstance(await handle(ctx), Fail)
        assert server.tasks == []
