"""How long an idle engine takes from a command to the start of the handler that it lets go, and a bare wake-up.

`wake.py` accepts the items of the project in the current folder one by one, and prints both lists of milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from pathlib import Path

from engine.config.load import load_project
from engine.facade import Engine
from engine.store.state_dir import StateDir

N = 300
PAUSE_S = 0.005


def ours() -> list[float]:
    root = Path.cwd()
    engine = Engine(load_project(root / "jobs.yaml", root), StateDir(root / "state"), mode="once")
    engine.start(discover=True)
    engine.wait_drained()
    ledger = sys.modules["load"].LEDGER
    took = []
    for n in range(N):
        key = f"item-{n:06}"
        asked = time.perf_counter()
        engine.command_and_wait("accept", {"job": "line", "keys": [key]})
        while not (at := [at for stage, done, at in ledger[-9:] if (stage, done) == ("one", key)]):
            time.sleep(0.0005)
        took.append((at[0] - asked) * 1000)
        engine.wait_drained()
        time.sleep(PAUSE_S)
    engine.stop_and_wait(drain=True)
    return took


def bare() -> list[float]:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    took = []
    for _ in range(N):
        woken: list[float] = []
        done = threading.Event()

        async def handler(woken: list[float] = woken, done: threading.Event = done) -> None:
            woken.append(time.perf_counter())
            done.set()

        asked = time.perf_counter()
        asyncio.run_coroutine_threadsafe(handler(), loop)
        done.wait()
        took.append((woken[0] - asked) * 1000)
        time.sleep(PAUSE_S)
    loop.call_soon_threadsafe(loop.stop)
    return took


print(json.dumps({"bare": bare(), "ours": ours()}))
