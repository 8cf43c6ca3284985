"""Equal kinds of failures have equal signatures, and different ones do not."""

from __future__ import annotations

import random
import subprocess
import sys
import time

from benchmarks.judge import failure_shapes
from engine.contracts.verdict import Failure
from engine.rules.verdicts.signature import normalised, signature_of
from tests.speed import slowness


def key(exc_type: str, message: str, line: int = 10, path: str = "/srv/a/plugins/feeds.py") -> str:
    tail = f'  File "{path}", line {line}, in fetch\n    go()\n  File "/x/site-packages/lib/a.py", line 3, in go\n'
    return signature_of(Failure(exc_type=exc_type, message=message, traceback_tail=tail)).key


def test_what_differs_from_item_to_item_is_not_in_it() -> None:
    one = "worker 7 at 10.0.0.3:80 lost 'first' in /data/a/1.pdf at 2026-01-02T03:04:05Z (0x7f12) https://a.b/c?d=1"
    two = "worker 12 at 10.9.9.9:8080 lost 'next one' in /data/b/77.pdf at 2026-11-12T13:14:15Z (0xdeadbeef) https://x.y/z"
    assert key("RuntimeError", one, line=10) == key("RuntimeError", two, line=99, path="/opt/b/plugins/feeds.py")


def test_type_status_errno_and_place_are_in_it() -> None:
    keys = {
        key("HTTPStatusError", "Client error '404 Not Found' for url 'https://a.b/c'"),
        key("HTTPStatusError", "Client error '403 Forbidden' for url 'https://a.b/c'"),
        key("OSError", "[Errno 28] No space left on device"),
        key("OSError", "[Errno 13] Permission denied"),
        key("OSError", "[Errno 13] Permission denied", path="/srv/a/plugins/other.py"),
        key("SlackApiError", "The server responded with: {'ok': False, 'error': 'ratelimited'}"),
        key("SlackApiError", "The server responded with: {'ok': False, 'error': 'invalid_auth'}"),
    }
    assert len(keys) == 7


def test_made_failures_group_into_their_shapes() -> None:
    made = list(failure_shapes.failures(random.Random(1)))
    assert len(made) == failure_shapes.FAILURES
    assert abs(failure_shapes.kinds(made) - failure_shapes.SHAPES) <= failure_shapes.TOLERANCE


def test_it_is_the_same_in_another_process() -> None:
    code = (
        "from engine.contracts.verdict import Failure; from engine.rules.verdicts.signature import signature_of;"
        "print(signature_of(Failure(exc_type='A', message='x 1')).key)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == signature_of(Failure(exc_type="A", message="x 2")).key


def test_hostile_text_costs_little() -> None:
    begun = time.process_time()
    for text in ("'" * 9_000, '"a' * 9_000, "(" * 9_000, "a." * 9_000, "1" * 9_000, "a@" * 9_000, "<a at " * 4_000):
        normalised(text)
    assert time.process_time() - begun < slowness()


def test_a_person_reads_what_a_message_quotes() -> None:
    text = "Reel.__init__() got an unexpected keyword argument 'cost'"
    told = signature_of(Failure(exc_type="TypeError", message=text))
    assert told.label == f"TypeError {text}"
    assert told.key == signature_of(Failure(exc_type="TypeError", message=text.replace("cost", "weight"))).key
