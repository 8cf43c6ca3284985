from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from engine.kit import hooks
from engine.kit.hooks import NoAnswer, ask


async def test_question_that_ignores_its_cancellation_is_left_behind() -> None:
    release = asyncio.Event()
    began = asyncio.Event()

    async def stubborn(_context: Any) -> bool:
        began.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return True

    loop = asyncio.get_running_loop()
    started = loop.time()
    loop.call_later(5.0, release.set)
    with pytest.raises(NoAnswer, match=r"within 0\.01 s"):
        await ask(stubborn, None, timeout_s=0.01)
    began.clear()
    asking = asyncio.ensure_future(ask(stubborn, None))  # who asks is stopped meanwhile
    await began.wait()
    asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled()
    assert loop.time() - started < 4.0
    release.set()


@pytest.mark.parametrize("error", [asyncio.CancelledError(), SystemExit(1), KeyboardInterrupt(), ValueError("no")])
async def test_whatever_it_raises_is_no_answer(error: BaseException) -> None:
    async def raises(_context: Any) -> None:
        raise error

    with pytest.raises(NoAnswer):
        await ask(raises, None)


async def test_threads_that_hang_keep_nobody_else_from_one() -> None:
    release = threading.Event()
    asked: list[int] = []

    def hangs(_context: Any) -> bool:
        asked.append(1)
        return release.wait(20)

    for _ in range(40):
        with pytest.raises(NoAnswer):
            await ask(hangs, None, timeout_s=0.001)
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(lambda: "free") == "free"
    assert len(asked) == hooks.LEFT_BEHIND_MAX
    release.set()
    while hooks._left_behind[hangs]:  # noqa: ASYNC110 (a thread ends)
        await asyncio.sleep(0.001)
    assert await ask(hangs, None) is True
