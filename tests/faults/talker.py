"""Conversations that are killed at their n-th step, each in a process of its own: `python -m tests.faults.talker`.

Each line of its input (folder, epoch and step) is one process, forked from this one, which has imported everything and
runs nothing; each line of its output its exit code and how the conversation ended.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from pathlib import Path

from engine.contracts.errors import InDoubt
from engine.contracts.llm import Answered, Sent
from engine.store import conversations, model_calls
from tests.factories import Ground, job
from tests.llm.house import PRICE, House, backend, model


async def talk(folder: Path, epoch: int, kill_at: int) -> str:
    """Say six turns; returns how it ended. Each send and each transaction is a step."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with (folder / "sent.log").open("a", buffering=1, encoding="utf-8") as sent_log:

        def script(sent: Sent, _n: int) -> Answered:
            sent_log.write(f"{sent.messages[-1].content}\n")
            step()
            return Answered(text="yes", tokens_in=5, tokens_out=2)

        ground = Ground(folder, job("docs"), epoch=epoch)
        house = House(folder, backends=[backend(price=PRICE)], models=[model()], epoch=epoch, ground=ground)
        ground.do(model_calls.lose, epoch, house.clock.now())
        ground.do(conversations.doubt, house.clock.now())
        await house.open({"one": script})
        house.before_change = step
        conversation = house.door("docs").conversation("talk")
        for turn in range(6):
            try:
                await conversation.say(f"turn-{turn}")
            except InDoubt:
                return "asked"
    return "done"


def main() -> None:
    for line in sys.stdin:
        folder, epoch, step = line.split()
        reading, writing = os.pipe()
        if not (pid := os.fork()):
            code = 1
            try:
                os.write(writing, asyncio.run(talk(Path(folder), int(epoch), int(step))).encode())
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(writing)
        with os.fdopen(reading) as told:
            how = told.read()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)} {how}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
