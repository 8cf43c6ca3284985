"""The pool of worker processes: started when first needed, one call at a time each, replaced when they are spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from engine.work.process import Hears, WorkerProcess

BURIAL_S: Final = 0.3
"""How long the end of a call waits for the end of its worker."""
IDLE_S: Final = 60.0
"""A process that had nothing to do for so long is ended; the next call starts one."""


class WorkerProcesses:
    """At most `size` processes; a call waits for a free one."""

    def __init__(
        self,
        size: int,
        *,
        folder: Path | None,
        memory: int,
        http: Mapping[str, Any] | None = None,
        code: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        """`folder` is that of jobs.yaml; `memory` the address space of each process, in bytes; `http` what its
        HTTP client is made with; `code`: path → (time of change in ns, size) of what the handlers' versions are of."""
        self._folder = folder
        self._memory = memory
        self._http = dict(http or {})
        self._code = dict(code or {})
        self._free = asyncio.Semaphore(size)
        self._idle: list[WorkerProcess] = []
        self._all: set[WorkerProcess] = set()
        self._closing = False
        self._sweep: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def call(self, message: dict[str, Any], hears: Hears, *, started: Callable[[], None]) -> dict[str, Any]:
        """Run one call in a worker; cancelling kills that worker, WorkerDied says how one ended by itself.

        `started` is called when a worker is free and the call begins.
        """
        await self._free.acquire()
        try:
            worker = await self._take()
        except BaseException:
            self._free.release()
            raise
        ended = False
        try:
            started()
            answer = await worker.call(message, hears)
            ended = not worker.spent
            return answer
        finally:
            if ended and not self._closing:
                self._idle.append(worker)
                self._expect_idleness()
                self._free.release()
            else:
                self._all.discard(worker)
                self._ending.add(task := asyncio.ensure_future(self._end(worker)))
                task.add_done_callback(self._ending.discard)
                # What it ran is dead at once; burying a thousand processes may take longer, and is nobody's time.
                await asyncio.wait({task}, timeout=BURIAL_S)

    async def _end(self, worker: WorkerProcess) -> None:
        """End a worker; only then is there room for another one."""
        try:
            await worker.kill()
        finally:
            self._free.release()

    def send_cancel(self) -> None:
        """Tell every handler that runs in a worker that it should end."""
        for worker in self._all.difference(self._idle):
            worker.send_cancel()

    async def _take(self) -> WorkerProcess:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            self._all.discard(worker)
            await worker.kill()
        worker = await WorkerProcess.start(self._folder, memory=self._memory, http=self._http, code=self._code)
        self._all.add(worker)
        return worker

    def _expect_idleness(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        self._sweep = asyncio.get_running_loop().call_later(IDLE_S, self._end_idle)

    def _end_idle(self) -> None:
        self._sweep = None
        while self._idle:
            worker = self._idle.pop()
            self._all.discard(worker)
            self._ending.add(task := asyncio.ensure_future(worker.kill()))
            task.add_done_callback(self._ending.discard)

    async def retire(self) -> None:
        """Let running calls end, then end the workers; no new calls may come."""
        self._closing = True
        for worker in tuple(self._idle):
            self._idle.remove(worker)
            self._all.discard(worker)
            await worker.kill()

    async def close(self) -> None:
        """End all workers, at the same time."""
        self._closing = True
        if self._sweep is not None:
            self._sweep.cancel()
        ending = {asyncio.ensure_future(worker.kill()) for worker in self._all} | self._ending
        self._all.clear()
        self._idle.clear()
        if ending:
            await asyncio.wait(ending)
