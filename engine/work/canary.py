"""A canary of new code: a stage's handler on a stored input, in scratch; nothing of it is stored or emitted."""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from engine.contracts.errors import UseError
from engine.contracts.http import Http
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.kit.exceptions import describe
from engine.kit.no_model import NoModel
from engine.kit.safe_text import safe_line
from engine.store import checkpoints
from engine.store.claims import Claim
from engine.store.stages import Finished, Left
from engine.work.judge import judge
from engine.work.processes import WorkerProcesses
from engine.work.run import Handler, Raised, Run, call_in_process, open_context

_END_S: Final = 2.0
"""How long a cancelled handler may take to end."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one input."""

    output: str | None
    """JSON, as it would be stored; None: there is none."""
    output_hash: bytes | None
    problem: str | None = None
    """Why there is no output."""
    does_more: bool = False
    """Whether it left files, items or signals too, which are not compared."""


@dataclass(frozen=True, slots=True)
class Canary:
    """Runs handlers of one configuration."""

    handlers: Callable[[str], Handler]
    processes: WorkerProcesses
    root: Path
    http: Http
    clock: Clock

    async def run(self, claim: Claim) -> Tried:
        """Run the handler of a claim that nobody holds: a plain function in a worker process, an `async def` here."""
        begun = asyncio.Event()
        run = Run(claim, _forget, lambda _claim: _NoDoor(), self.clock.now, self.clock.monotonic(), math.inf)
        with tempfile.TemporaryDirectory(prefix="rivus-canary-") as folder:
            task = asyncio.ensure_future(self._call(run, Path(folder), begun))
            waiter = asyncio.ensure_future(begun.wait())
            try:
                # Waiting for a free process is not the handler's time.
                await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
                limit = claim.stage.spec.timeout_s
                if not (await asyncio.wait({task}, timeout=limit))[0]:
                    return Tried(None, None, f"it took longer than {limit:g} s")
                return task.result()
            finally:
                waiter.cancel()
                if not task.done():
                    task.cancel()
                    await asyncio.wait({task}, timeout=_END_S)
                run.close()

    async def _call(self, run: Run, folder: Path, begun: asyncio.Event) -> Tried:
        spec = run.claim.stage.spec
        try:
            if spec.place == "loop":
                begun.set()
                context = open_context(run, root=self.root, artifacts=folder, http=self.http)
                value, emitted = await self.handlers(spec.handler)(context), context.emitted
            else:
                value, told = await call_in_process(
                    run, self.processes, root=self.root, artifacts=folder, started=begun.set
                )
                emitted = list(told)
            ending = judge(run.claim, value, emitted, now=self.clock.now(), ms=0)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return Tried(None, None, "the handler cancelled itself")
        except BaseException as error:  # SystemExit and KeyboardInterrupt of a handler must not end the engine
            problem = error.problem if isinstance(error, Raised) else describe(error)
            return Tried(None, None, safe_line(f"it raised {problem.error_type}: {problem.message}", 200))
        return _tried(ending)


def _tried(ending: Finished | Left) -> Tried:
    if isinstance(ending, Left):
        return Tried(None, None, safe_line(f"it gave no output, but said `{ending.transition}`: {ending.why}", 200))
    more = bool(ending.artifacts or ending.emit or ending.signals)
    return Tried(ending.output, ending.output_hash, does_more=more)


async def _forget(_claim: Claim, what: str, value: Any) -> Any:
    if what == "peers":
        return []
    if what == "reserve":
        return None
    if what != "checkpoint":
        raise UseError(f"handlers cannot ask for `{what}`")
    checkpoints.encode(value["value"])
    return None


class _NoDoor(NoModel):
    """Implements `engine.work.run.AttemptDoor`: a canary spends nothing."""

    def __init__(self) -> None:
        super().__init__("a canary asks no model")

    def close(self) -> None:
        """There is nothing to end."""
