from __future__ import annotations

import json
import logging
import threading

import pytest

from engine.work.attempt_log import KEPT_LINES, LINES_MAX, AttemptLog, HandlerLogger


@pytest.fixture
def kept() -> AttemptLog:
    return AttemptLog(lambda: 7)


def lines(kept: AttemptLog) -> list[list[object]]:
    found: list[list[object]] = json.loads(kept.encoded())
    return found


def test_newest_lines_are_kept_clean_and_short(kept: AttemptLog) -> None:
    kept.add(logging.WARNING, "\x1b[2J" + "x" * 1_000)
    assert lines(kept) == [[7, "warning", "␛[2J" + "x" * 495 + "…"]]
    for number in range(KEPT_LINES):
        kept.add(logging.INFO, f"line {number}")
    assert len(lines(kept)) == KEPT_LINES
    assert kept.seen == KEPT_LINES + 1


def test_line_goes_to_the_engines_log_with_its_ids(kept: AttemptLog, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logger = HandlerLogger(logging.getLogger("rivus.handler"), {"job": "docs", "item": "a"}, kept)
    logger.info("%d of %d", 1, 2, extra={"mine": 3})
    logger.info("%d", "no number")
    logger.debug("not so much")
    (first, second) = caplog.records
    assert (first.getMessage(), first.job, first.mine) == ("1 of 2", "docs", 3)  # type: ignore[attr-defined]
    assert second.getMessage() == "%d ('no number',)"
    assert [text for _, _, text in lines(kept)] == ["1 of 2", "%d ('no number',)"]


def test_flood_is_counted_and_told_at_the_end(kept: AttemptLog, caplog: pytest.LogCaptureFixture) -> None:
    logger = HandlerLogger(logging.getLogger("rivus.handler"), {}, kept)
    for _ in range(LINES_MAX + 5):
        logger.warning("again")
    logger.close()
    assert len(caplog.records) == LINES_MAX + 1
    assert lines(kept)[-1][2] == "5 more lines were not kept: the handler logs too much"


def test_line_that_comes_in_the_middle_of_another_is_kept() -> None:
    """An object in a cycle may log when it ends, which it may do between any two steps of a call that logs."""
    said: list[int] = []

    def now() -> int:
        said.append(1)
        if len(said) == 1:
            kept.add(logging.INFO, "in between")
        return 7

    kept = AttemptLog(now)
    thread = threading.Thread(target=kept.add, args=(logging.INFO, "line"), daemon=True)
    thread.start()
    thread.join(timeout=10.0)
    assert not thread.is_alive()
    assert [text for _, _, text in lines(kept)] == ["in between", "line"]
