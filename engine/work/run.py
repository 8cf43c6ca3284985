"""One attempt that runs: its claim, its time, what it has told so far, and the ways to call its handler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Literal, Protocol

from engine.contracts.attempt import AttemptError
from engine.contracts.context import Checkpoint
from engine.contracts.errors import RivusError
from engine.contracts.http import Http
from engine.contracts.item import Candidate
from engine.contracts.llm import LLM, Conversation
from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line
from engine.kit.tasks import begin_beside
from engine.store.claims import Claim
from engine.store.live import Told
from engine.work.attempt_log import AttemptLog, HandlerLogger
from engine.work.context import AttemptContext
from engine.work.llm_wire import decode_error, decode_request, encode_consensus, encode_error, encode_reply
from engine.work.processes import WorkerProcesses
from engine.work.wire import decode_emitted, decode_outcome

handler_log = logging.getLogger("rivus.handler")

Handler = Callable[[AttemptContext], Any]
Asked = Callable[[Claim, str, Any], Awaitable[Any]]
"""Does what a handler asks of the engine: claim, what (`checkpoint`), value; returns the answer or raises."""


class AttemptDoor(LLM, Protocol):
    """The door to the models for one attempt."""

    def close(self) -> None:
        """The attempt is over."""
        ...


class Raised(Exception):
    """A handler raised in a worker process; all that is left of it is its description."""

    def __init__(self, problem: AttemptError) -> None:
        super().__init__(problem.message)
        self.problem = problem


class CodeEdited(Exception):
    """The code of the handler is not what the attempt was claimed under; nothing of it has run."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was edited, and is not taken over yet")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an attempt is."""

    done: int
    total: int | None
    text: str


@dataclass(slots=True, eq=False)
class Run:
    """Implements `engine.work.context.Home`, and `engine.work.process.Hears`: what comes from a worker process lands
    here too."""

    claim: Claim
    asks: Asked
    make_door: Callable[[Claim], AttemptDoor]
    now: Callable[[], int]
    began: float
    deadline: float
    context: AttemptContext | None = None
    task: asyncio.Task[None] | None = None
    reason: Literal["timeout", "stop", "revoked"] | None = None
    processes: WorkerProcesses | None = None
    """Where it runs, if it does in a process."""
    handed_in: bool = False
    is_over: bool = False
    progress: Progress | None = None
    paid: list[int] = field(default_factory=list)
    """Micro-dollars that the handler said it has spent, of which no ending has told yet; it may run in a thread."""
    has_reserved: bool = False
    """There is, or may be, something in the state file that its end has to settle."""
    reserved: int = 0
    """What it may be spending just now, and has not told of yet."""
    ahead: int = 0
    """What an ending has told of before the handler did."""
    kept: AttemptLog | None = None
    told: tuple[Progress | None, int] = field(default=(None, 0))
    """Progress and number of lines that are in the state file already."""
    _logger: HandlerLogger | None = None
    _door: AttemptDoor | None = None
    _talks: dict[int, Conversation] = field(default_factory=dict)
    """Conversations of a handler in a worker process, by its numbers."""

    def ids(self) -> dict[str, object]:
        """What every log record of an attempt carries."""
        claim = self.claim
        return {
            "job": claim.stage.job,
            "item": claim.item.key,
            "stage": claim.stage.spec.name,
            "attempt": claim.attempt,
        }

    def logger(self) -> HandlerLogger:
        """The logger of this attempt; made when it is first needed, since most handlers log nothing."""
        if self._logger is None:
            self.kept = AttemptLog(self.now)
            self._logger = HandlerLogger(handler_log, self.ids(), self.kept)
        return self._logger

    def checkpoint(self) -> Checkpoint:
        """The checkpoint of this attempt; made when it is first needed."""
        return _Checkpoint(self)

    def llm(self) -> AttemptDoor:
        """The door to the models; opened when it is first used, since most attempts ask none."""
        if self._door is None:
            self._door = self.make_door(self.claim)
            if self.is_over:
                self._door.close()
        return self._door

    def end(self) -> None:
        """It is over as far as anybody waits for it: what still runs of it asks no models."""
        self.is_over = True
        if self._door is not None:
            self._door.close()

    def tell(self, done: object, total: object, text: object) -> None:
        """Keep the newest progress; what is no number is not kept."""
        if isinstance(done, (int, float)) and (total is None or isinstance(total, (int, float))):
            whole = None if total is None else _bounded(total)
            self.progress = Progress(_bounded(done), whole, safe_line(str(text), 200))

    def peers(self, stage: str) -> Awaitable[Any]:
        """What other items gave at a stage."""
        return self.asks(self.claim, "peers", stage)

    async def reserve(self, usd_micros: int) -> None:
        """The handler is about to spend this at most."""
        self.has_reserved = True
        await self.asks(self.claim, "reserve", {"owed": sum(self.paid), "worst": usd_micros})
        self.reserved += usd_micros

    def pay(self, usd_micros: int) -> None:
        """The handler has spent this; of what it had reserved, nothing else."""
        self.reserved = 0
        told = min(self.ahead, usd_micros)
        self.ahead -= told
        self.paid.append(usd_micros - told)

    def bill(self) -> int:
        """What no ending has told yet, all that is reserved included; it counts as told from here on."""
        paid = sum([self.paid.pop() for _ in range(len(self.paid))]) if self.paid else 0
        if not self.reserved:
            return paid
        reserved, self.reserved = self.reserved, 0
        self.ahead += reserved
        return paid + reserved

    async def save(self, value: Any) -> None:
        """Store a checkpoint, with what is known by then of the money spent."""
        owed = sum(self.paid) + self.reserved if self.has_reserved else None
        await self.asks(self.claim, "checkpoint", {"value": value, "owed": owed})

    def heard(self, message: dict[str, Any]) -> None:
        """A line, the progress or an expense of a handler in a worker process."""
        if message["kind"] == "progress":
            self.tell(message["done"], message["total"], message["text"])
        elif message["kind"] == "paid":
            self.pay(int(message["usd_micros"]))
        elif message["kind"] == "log":
            self.logger().log(int(message["level"]), message["text"])
        elif message["kind"] == "printed":
            self.logger().log(logging.INFO, "printed: %s", message["text"])

    def asked(self, what: str, value: Any) -> Awaitable[Any]:
        """A handler in a worker process asks for something."""
        if what == "checkpoint":
            return self.save(value)
        if what == "reserve":
            return self._reserve(value)
        return self._ask_model(value) if what == "llm" else self.asks(self.claim, what, value)

    async def _reserve(self, usd_micros: Any) -> dict[str, Any] | None:
        try:
            await self.reserve(int(usd_micros))
        except RivusError as error:
            return encode_error(error)
        return None

    async def _ask_model(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """A model's answer; an error is an answer too, so that it keeps its type."""
        try:
            if "missing" in value:
                return {"why": self.llm().missing(value["missing"])}
            if "talk" in value:
                return await self._talk(value["talk"], value)
            request = decode_request(value["request"])
            if "jury" in value:
                more = {"schema": request.schema, "purpose": request.purpose, **value["jury"]}
                found = await self.llm().jury(request, **more)
                return {"consensus": encode_consensus(found)}
            return {"reply": encode_reply(await self.llm().ask(request))}
        except RivusError as error:
            return {"error": encode_error(error)}

    async def _talk(self, number: int, value: Mapping[str, Any]) -> dict[str, Any]:
        """One step of a conversation that the worker knows by a number."""
        told: dict[str, Any] = {}
        if "open" in value:
            self._talks[number] = self.llm().conversation(**value["open"])
        talk = self._talks[number]
        if "say" in value:
            told["reply"] = encode_reply(await talk.say(**value["say"]))
        elif "wait_for" in value:
            await talk.wait_for(value["wait_for"])
        elif "release" in value:
            talk.release()
        elif "close" in value:
            await talk.close(why=value["close"])
        return {**told, "turns": talk.turns}

    def close(self) -> None:
        """The attempt has ended."""
        if self._logger is not None:
            self._logger.close()
        self.end()
        # It leads back here: nothing would let go of the two but a search for garbage.
        self.context = None

    def tell_news(self) -> Told:
        """What it has told so far, all of which counts as stored from here on; called in a thread."""
        progress, kept = self.progress, self.kept
        self.told = (progress, kept.seen if kept is not None else 0)
        return Told(
            item_id=self.claim.item.id,
            stage_id=self.claim.stage.id,
            fence=self.claim.fence,
            done=progress.done if progress is not None else None,
            total=progress.total if progress is not None else None,
            text=progress.text if progress is not None else None,
            lines=kept.encoded() if kept is not None else None,
        )

    @property
    def is_news(self) -> bool:
        """Whether it has told more than is in the state file."""
        kept, progress = self.kept, self.progress
        if kept is None and progress is None:
            return False
        return self.told != (progress, kept.seen if kept is not None else 0)


def _bounded(number: float) -> int:
    return round(min(max(number, 0.0), 2.0**53)) if number == number else 0


class _Checkpoint:
    """Implements `engine.contracts.context.Checkpoint` in the engine's process."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._value = run.claim.checkpoint

    def load(self) -> Any:
        return self._value

    async def save(self, value: Any) -> None:
        await self._run.save(value)
        self._value = value

    def save_and_wait(self, value: Any) -> None:
        assert self._run.task is not None
        asyncio.run_coroutine_threadsafe(self.save(value), self._run.task.get_loop()).result()


def open_context(run: Run, *, root: Path, artifacts: Path, http: Http) -> AttemptContext:
    """Make the context of a handler in the engine's process; `artifacts` is the folder of all items."""
    claim = run.claim
    stage, item = claim.stage, claim.item
    context = run.context = AttemptContext(
        job=stage.job,
        stage=stage.spec.name,
        item=item,
        upstream=claim.upstream,
        attempt=claim.attempt,
        params=stage.spec.params,
        root=root,
        artifacts=artifacts,
        folder=str(item.id),
        http=http,
        home=run,
        answer=claim.answer,
    )
    return context


async def call_in_thread(handler: Handler, context: AttemptContext) -> Any:
    """Call a plain function in a thread of its own; a cancellation only asks it to end, since nothing can stop it."""
    ended = begin_beside(handler, context, name=f"handler {context.stage}")
    while not ended.done():
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            context.cancelled = True
    value, error = ended.result()
    if error is not None:
        raise error
    return value


async def call_in_process(
    run: Run, processes: WorkerProcesses, *, root: Path, artifacts: Path, started: Callable[[], None]
) -> tuple[Any, Sequence[tuple[str, Candidate]]]:
    """Call a handler in a worker process; returns what it returned and emitted, or raises Raised, CodeEdited or
    WorkerDied."""
    claim = run.claim
    item = claim.item
    message: dict[str, Any] = {
        "kind": "call",
        "handler": claim.stage.spec.handler,
        "job": claim.stage.job,
        "stage": claim.stage.spec.name,
        "item": {
            "key": item.key,
            "title": item.title,
            "data": item.data,
            "path": item.path,
            "line": item.line,
            "headings": item.headings,
            "signals": item.signals,
            "priority": item.priority,
        },
        "upstream": claim.upstream,
        "attempt": claim.attempt,
        "params": dict(claim.stage.spec.params),
        "root": str(root),
        "artifacts": str(artifacts / str(item.id)),
        "answer": claim.answer,
        "checkpoint": claim.checkpoint,
    }
    answer: Mapping[str, Any] = await processes.call(message, run, started=started)
    if answer["kind"] == "edited":
        raise CodeEdited(str(answer["path"]))
    if answer["kind"] == "raised":
        if "model" in answer:
            raise decode_error(answer["model"])
        raise Raised(
            AttemptError(error_type=str(answer["type"]), message=str(answer["message"]), traceback=str(answer["trace"]))
        )
    return decode_outcome(answer["outcome"]), decode_emitted(answer["emit"])
