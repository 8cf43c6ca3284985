"""A worker process: runs handlers, one at a time, and dies with the engine.

Started below `engine.work.keeper` as `python -m engine.work.worker FD`, with a socket to the engine as its only link.
What a handler does to its process (working directory, signals, memory, exit) stays in it: a process that is not what it
was before a call says so, and is replaced. What a call has started ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any, Final

from engine.config.resolve import Resolver
from engine.contracts.errors import ModelError, ModelNeeded
from engine.kit import keeper
from engine.kit.exceptions import describe
from engine.kit.http import Http
from engine.work.attempt_log import LINE_LIMIT, LogBudget
from engine.work.context import AttemptContext, ContextItem, Ways
from engine.work.link import Link
from engine.work.llm_wire import decode_error, encode_error
from engine.work.surroundings import Surroundings
from engine.work.wire import encode_emitted, encode_outcome, pack
from engine.work.worker_llm import WorkerLLM

NO_MEMORY: Final = "no more memory; `worker_memory` in the settings says how much a worker process may have"
PROGRESS_S: Final = 0.1
"""Progress goes to the engine at most this often; the newest counts."""


class _LogToEngine(logging.Handler):
    """Sends what a handler logs, within the budget of its attempt."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self.budget = LogBudget()

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            text = record.getMessage()[:LINE_LIMIT]
            if self.budget.take(len(text)):
                self._link.send({"kind": "log", "level": record.levelno, "text": text})


class _Progress:
    """Hands on the newest progress, in a thread of its own that starts with the first."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._newest: tuple[int, int | None, str] | None = None
        self._some = threading.Event()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, done: int, total: int | None, text: str) -> None:
        self._newest = (done, total, text)
        self._some.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._tell, daemon=True, name="progress")
            self._thread.start()

    def _tell(self) -> None:
        while not self._end.is_set():
            self._some.wait()
            self._some.clear()
            newest, self._newest = self._newest, None
            if newest is not None and not self._end.is_set():
                done, total, text = newest
                with contextlib.suppress(Exception):
                    self._link.send({"kind": "progress", "done": done, "total": total, "text": text})
            self._end.wait(PROGRESS_S)

    def close(self) -> None:
        """End the thread; what was not handed on by now does not matter any more."""
        self._end.set()
        self._some.set()
        if self._thread is not None:
            self._thread.join()


class _Checkpoint:
    """Implements `engine.contracts.context.Checkpoint` over the link."""

    def __init__(self, link: Link, value: Any) -> None:
        self._link = link
        self._value = value

    def load(self) -> Any:
        return self._value

    async def save(self, value: Any) -> None:
        await asyncio.to_thread(self.save_and_wait, value)

    def save_and_wait(self, value: Any) -> None:
        self._link.ask("checkpoint", value)
        self._value = value


async def _reserve(link: Link, usd_micros: int) -> None:
    told = await asyncio.to_thread(link.ask, "reserve", usd_micros)
    if told is not None:
        raise decode_error(told)


def main(fd: int) -> None:
    """Serve calls until the engine goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keeper.adopt_orphans()
    link = Link(fd)
    start = link.calls.get()
    code = Code(start["code"])
    link.send({"kind": "ready", "pid": os.getpid()})
    resolver = Resolver(Path(start["folder"]) if start["folder"] else None)
    http = Http(**start["http"])
    logger = logging.getLogger("rivus.handler")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    to_engine = _LogToEngine(link)
    logger.addHandler(to_engine)
    while True:
        call = link.calls.get()
        link.call = call["call"]
        to_engine.budget = LogBudget()
        answer = _serve(call, link, resolver, code, logger, http)
        if dropped := to_engine.budget.told():
            link.send({"kind": "log", "level": logging.WARNING, "text": dropped})
        link.send(answer)
        link.call = 0
        link.context = None


class Code:
    """What handlers were when their versions were taken: a process that imports later may find them edited."""

    def __init__(self, files: dict[str, list[int]]) -> None:
        """Path → [time of change in ns, size]."""
        self._files = files
        self._imported: set[str] = set()

    def edited(self, handler: str) -> str | None:
        """The first file that is not as it was, when this handler was just imported for the first time."""
        if handler in self._imported:
            return None
        for path, seen in self._files.items():
            with contextlib.suppress(OSError):
                stat = os.stat(path)
                if [stat.st_mtime_ns, stat.st_size] != seen:
                    return path
        self._imported.add(handler)
        return None


def _serve(
    call: dict[str, Any], link: Link, resolver: Resolver, code: Code, logger: logging.Logger, http: Http
) -> dict[str, Any]:
    """Run one call; returns its last frame, with nothing left of what the handler has started."""
    item = call["item"]
    progress = _Progress(link)
    context = AttemptContext(
        job=call["job"],
        stage=call["stage"],
        item=ContextItem(**{**item, "headings": tuple(item["headings"])}),
        upstream=call["upstream"],
        attempt=call["attempt"],
        params=call["params"],
        root=Path(call["root"]),
        artifacts=Path(call["artifacts"]),
        http=http,
        home=Ways(
            logger=lambda: logger,
            checkpoint=lambda: _Checkpoint(link, call["checkpoint"]),
            llm=lambda: WorkerLLM(partial(link.ask, "llm")),
            tell=progress,
            pay=lambda usd_micros: link.send({"kind": "paid", "usd_micros": usd_micros}),
            reserve=partial(_reserve, link),
            peers=lambda stage: asyncio.to_thread(link.ask, "peers", stage),
        ),
        answer=call["answer"],
    )
    link.context = context
    pid = os.getpid()
    before = None
    try:
        handler = resolver.handler(call["handler"])
        before = Surroundings()
        if (path := code.edited(call["handler"])) is not None:
            return _tidied({"kind": "edited", "path": path, "spent": True}, progress, http, before)
        outcome = handler(context)
        if inspect.isawaitable(outcome):
            outcome = asyncio.run(_awaited(outcome))
        emitted = encode_emitted(context.emitted)
        answer: dict[str, Any] = {"kind": "ended", "outcome": encode_outcome(outcome), "emit": emitted}
        pack(answer)  # what is not JSON is this attempt's problem, with this traceback
    except BaseException as error:
        problem = describe(error)
        answer = {"kind": "raised", "type": problem.error_type, "message": problem.message, "trace": problem.traceback}
        if isinstance(error, (ModelError, ModelNeeded)):
            answer["model"] = encode_error(error)
        if isinstance(error, MemoryError):
            answer["spent"] = True
            answer["message"] = problem.message or NO_MEMORY
    if os.getpid() != pid:
        os._exit(0)  # the handler has forked, and this is not the process that was asked
    return _tidied(answer, progress, http, before)


def _tidied(answer: dict[str, Any], progress: _Progress, http: Http, before: Surroundings | None) -> dict[str, Any]:
    """End what the call has started, and note whether the process can be used again."""
    progress.close()
    http.leave()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    clean = not keeper.has_children() or keeper.end_descendants(os.getpid())
    if not clean or (before is not None and before.changed()):
        answer["spent"] = True
    return answer


async def _awaited(answer: Any) -> Any:
    return await answer


if __name__ == "__main__":
    main(int(sys.argv[1]))
