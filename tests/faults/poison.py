"""Handlers that do everything a handler must not do; copied into a project by the goal that lets them loose."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

from engine.contracts.item import Candidate

KINDS = (
    "spin",
    "sleep",
    "exit",
    "hard_exit",
    "abort",
    "segfault",
    "interrupt",
    "base",
    "killed",
    "nothing",
    "number",
    "nan",
    "bytes",
    "set",
    "cycle",
    "deep",
    "huge_int",
    "surrogate",
    "nul",
    "big",
    "chdir",
    "closes",
    "deaf",
    "bad_text",
    "long_text",
    "escapes",
    "recursion",
    "prints",
    "orphan",
    "memory",
)


class Bad(Exception):
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


async def find(ctx):
    for n in range(ctx.params["n"]):
        for kind in ctx.params.get("kinds", ["good"]):
            yield Candidate(key=f"{kind}-{n}")


def poison(ctx):
    kind = ctx.item.key.rpartition("-")[0]
    if kind == "spin":
        while True:
            pass
    if kind == "sleep":
        time.sleep(600)
    if kind == "exit":
        sys.exit(0)
    if kind == "hard_exit":
        os._exit(0)
    if kind == "abort":
        os.abort()
    if kind == "segfault":
        ctypes.string_at(0)
    if kind == "interrupt":
        raise KeyboardInterrupt
    if kind == "base":
        raise BaseException("base")
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "nothing":
        return None
    if kind == "number":
        return 7
    if kind == "nan":
        return {"x": float("nan")}
    if kind == "bytes":
        return {"x": b"raw"}
    if kind == "set":
        return {"x": {1}}
    if kind == "cycle":
        x = {}
        x["x"] = x
        return x
    if kind == "deep":
        x = {}
        for _ in range(5000):
            x = {"x": x}
        return x
    if kind == "huge_int":
        return {"x": 2**63}
    if kind == "surrogate":
        return {"x": "\ud800"}
    if kind == "nul":
        return {"x": "a\0b"}
    if kind == "big":
        return {"x": "x" * 50_000_000}
    if kind == "chdir":
        os.chdir("/")
        os.umask(0)
        os.environ.clear()
        return {}
    if kind == "closes":
        os.closerange(3, 64)
        time.sleep(600)
    if kind == "deaf":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(600)
    if kind == "bad_text":
        raise Bad
    if kind == "long_text":
        raise ValueError("x" * 50_000_000)
    if kind == "escapes":
        raise ValueError("\x1b]52;c;aGk=\x07\x1b[2J")
    if kind == "recursion":
        return poison(ctx)
    if kind == "prints":
        for _ in range(200):
            sys.stdout.write("x" * 10_000 + "\n")
        raise ValueError("printed")
    if kind == "orphan":
        subprocess.Popen(["sh", "-c", "trap '' TERM; setsid sleep 98765 & sleep 98765"], start_new_session=True)
        time.sleep(600)
    if kind == "memory":
        raise MemoryError
    raise RuntimeError(kind)


async def good(ctx):
    return {"ok": True}


def plain(ctx):
    return {"ok": os.getpid()}
