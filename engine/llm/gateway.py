"""The gateway: what happens to every request between the one who asks and the one who answers.

In order: the alias is looked up; secrets are taken out; an identical question may be answered from the cache
(`answers`); the request stands in line (`line`) until a lane is free; what it may cost is reserved in the state file,
together with its quotas and, in a conversation, its checkpoint (`booking`); it is sent with a deadline (`call`); what
it did cost is settled. A lane that fails is passed over for the next one of the alias (`sender`); one that asks to wait
is left alone until then, by everybody (`health`). Here the parts are put together, and the answer's shape is looked at
and repaired once.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import field, replace
from typing import Any, TypeVar

from engine.contracts.errors import BadReply, ModelFailed, ModelNeeded, UseError
from engine.contracts.llm import Backend, Reply, Request
from engine.contracts.models import ModelSpec
from engine.contracts.spec import ProjectSpec
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.kit.redact import Redactor
from engine.kit.safe_text import safe_line
from engine.kit.secrets import Secrets
from engine.kit.shapes import Misfit, build, json_schema, read
from engine.kit.tasks import beside
from engine.llm.answers import Answers
from engine.llm.backends import LateBackend, usable_lanes, why_missing, why_none
from engine.llm.board import Board
from engine.llm.booking import Booking
from engine.llm.call import Answer, worst_case
from engine.llm.chores import Chores
from engine.llm.lanes import Hold, Lane, Lanes, Shares, Wait
from engine.llm.ledger import Checkpoint, Ledger, Purse, Sending
from engine.llm.line import Line
from engine.llm.sender import Sender
from engine.llm.structured import repair, with_schema
from engine.store import quotas
from engine.store.model_calls import Asker

T = TypeVar("T")


@dataclass(slots=True)
class Gateway:
    """Lives on the engine's loop."""

    clock: Clock
    ledger: Ledger
    shares: Shares
    resolve: Callable[[str], Callable[..., Any]]
    """A dotted name to a factory of backends."""
    secrets: Secrets
    epoch: int
    guard: Callable[[sqlite3.Connection, int], set[int]] = lambda _connection, _now: set()
    """Money was booked: pause what has reached its limit; returns the jobs' numbers."""
    paused: Callable[[set[int]], None] = lambda _jobs: None
    freed: Callable[[], None] = lambda: None
    """An alias that was held may be asked again."""
    project: ProjectSpec | None = None
    backends: dict[str, Backend] = field(default_factory=dict)
    lanes: Lanes = field(init=False)
    line: Line = field(init=False)
    chores: Chores = field(default_factory=Chores)
    loop: asyncio.AbstractEventLoop | None = None
    """Where it lives, from `configure` on."""
    _board: Board = field(init=False)
    _booking: Booking = field(init=False)
    _sender: Sender = field(init=False)
    _answers: Answers = field(init=False)
    _aliases: dict[str, ModelSpec] = field(default_factory=dict)
    """Those that can be asked, with the lanes that can answer."""
    _missing: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lanes = Lanes(self.shares, self.clock.now)
        self._board = Board(self.clock, self.ledger, self.lanes, self.chores, self._free)
        self.line = Line(self.lanes, self.clock.now, self._board.waits)
        self._booking = Booking(self.clock, self.ledger, self.lanes, self.chores, self.guard, self.paused)
        self._sender = Sender(
            self.clock, self.lanes, self.line, self._board, self._booking, self.epoch, self.alias, Redactor()
        )
        self._answers = Answers(self.ledger, self.clock)

    def _free(self) -> None:
        self.freed()

    async def configure(self, project: ProjectSpec, backends: Mapping[str, Backend] | None = None) -> None:
        """Take a configuration; what is on its way goes on with the old one. `backends` stand in for own ones."""
        self.loop = asyncio.get_running_loop()
        given = backends or {}
        before = self.backends
        same = {spec.name: spec for spec in self.project.backends} if self.project is not None else {}
        self.backends = {
            spec.name: given.get(spec.name)
            or (before[spec.name] if same.get(spec.name) == spec else None)
            or LateBackend(spec, self.secrets, self.resolve)
            for spec in project.backends
        }
        usable = await beside(usable_lanes, project, self.secrets, frozenset(given))
        self._missing = {
            spec.name: None if usable[spec.name] else why_missing(project, spec, self.secrets)
            for spec in project.models
        }
        self._aliases = {
            spec.name: replace(spec, lanes=usable[spec.name]) for spec in project.models if usable[spec.name]
        }
        self._sender.redactor = Redactor(self.secrets.known())
        rows = await self.ledger.change(lambda connection, _now: _sync(connection, project, self._missing))
        self.project = self._booking.project = project
        self.lanes.configure(project, self.backends, rows)
        self._board.configure(tuple(self._aliases.values()))
        for name, backend in before.items():
            if self.backends.get(name) is not backend:
                self.chores.do(self._retire(backend))
        self.line.look()

    async def _retire(self, backend: Backend) -> None:
        """Close a backend that is configured no more, when the last request on its way to it has ended."""
        await self.lanes.unused(backend)
        await backend.close()

    # What can be asked

    def missing(self, model: str | None) -> str | None:
        """Why this alias (any, when None) cannot be asked at all; None: it can."""
        if self.project is None or (why := why_none(self.project)):
            return why if self.project is not None else "the engine is starting"
        if model is None:
            return None if self._aliases else next(iter(self._missing.values()))
        if model not in self._missing:
            return f"there is no model `{safe_line(model, 60)}` under `models`; there are: {', '.join(self._missing)}"
        return self._missing[model]

    def prices(self, request: Request) -> dict[str, int | None]:
        """What one question costs at most with each alias that can answer, in micro-dollars; None: not known."""
        assert self.project is not None
        specs = {spec.name: spec for spec in self.project.backends}
        schema = len(json.dumps(request.schema)) if isinstance(request.schema, Mapping) else 0
        found: dict[str, int | None] = {}
        for name, alias in self._aliases.items():
            backend, mode_name = alias.lanes[0]
            mode = specs[backend].modes.get(mode_name)
            price = (mode.price if mode else None) or specs[backend].price or self.backends[backend].price(mode_name)
            tokens = min(request.max_tokens or alias.max_tokens, alias.max_tokens)
            found[name] = worst_case(request.messages, schema, tokens, price) if price is not None else None
        return found

    def hold(self, model: str | None) -> Wait | None:
        """Why no stage that needs this alias should start now, and until when; None: it may."""
        if why := self.missing(model):
            return Wait(why, None)
        return self._board.hold(self.alias(model))

    def left(self, model: str) -> tuple[int, int | None] | None:
        """How often an alias can still be asked today, and until when that holds; None: as often as one likes."""
        return self.lanes.left(self._aliases[model]) if model in self._aliases else None

    def alias(self, model: str | None) -> ModelSpec:
        """An alias (the first one, when None) with the lanes that can answer; ModelNeeded when there is none."""
        if why := self.missing(model):
            raise ModelNeeded(why)
        return self._aliases[model] if model is not None else next(iter(self._aliases.values()))

    def keeps_place(self, model: str | None) -> bool:
        """Whether a conversation keeps its place at the backends of this alias between its turns."""
        assert self.project is not None
        names = {backend for backend, _ in self.alias(model).lanes}
        return any(spec.keep_place for spec in self.project.backends if spec.name in names)

    def budget_wait(self, asker: Asker) -> tuple[int | None, str]:
        """(when the next day of money begins, why it has to be waited for); (None, '') where money is left."""
        return self._booking.last_refusal(asker)

    # One question

    async def ask(
        self,
        request: Request,
        asker: Asker,
        purse: Purse,
        *,
        hold: Hold | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Reply:
        """Answer one question, in the shape that it asks for; what it raises stands in `engine.contracts.errors`."""
        if purse.is_closed:
            raise ModelFailed("the attempt is over, nothing more is asked for it", kind="code_bug")
        sending = self._sending(request, asker, purse, hold, checkpoint)
        key = self._answers.key(sending) if checkpoint is None else None
        if key is None:
            return await self._asked(sending, None)
        async with self._answers.alone(key):
            return await self._answers.kept(key, sending) or await self._asked(sending, key)

    async def _asked(self, sending: Sending, key: bytes | None) -> Reply:
        """Send a question; its answer is kept below `key`."""
        lane, answer = await self._sender.send(sending)
        value = None
        if sending.schema is not None:
            lane, answer, value = await self._shaped(sending, lane, answer)
        if key is not None:
            await self._answers.keep(key, sending, lane, answer)
        return Reply(
            text=answer.text,
            value=value,
            model="/".join(lane),
            alias=sending.alias.name,
            cost_usd_micros=answer.usd_micros,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
        )

    def _sending(
        self, request: Request, asker: Asker, purse: Purse, hold: Hold | None, checkpoint: Checkpoint | None
    ) -> Sending:
        clean = self._sender.redactor.clean
        messages = tuple(replace(one, content=clean(one.content)) for one in request.messages)
        schema = json_schema(request.schema) if request.schema is not None else None
        return Sending(
            request=request,
            alias=self.alias(request.model),
            messages=with_schema(messages, schema) if schema is not None else messages,
            schema=schema,
            asker=asker,
            purse=purse,
            urgency=request.urgency if request.urgency is not None else self.clock.now(),
            hold=hold,
            checkpoint=checkpoint,
        )

    async def _shaped(self, sending: Sending, lane: Lane, answer: Answer) -> tuple[Lane, Answer, Any]:
        """Check the answer's shape; one repair, then BadReply. Tokens and costs are those of both."""
        shape, schema = sending.request.schema, sending.schema
        assert shape is not None
        assert schema is not None
        try:
            return lane, answer, build(shape, read(answer.text, schema))
        except Misfit as misfit:
            problem = safe_line(str(misfit), 1_000)
        if sending.checkpoint is not None:
            # What a conversation has stored stays said; it repairs by saying more.
            raise BadReply(f"{'/'.join(lane)}: {problem}", text=answer.text)
        lane, second = await self._sender.send(
            replace(sending, messages=repair(sending.messages, answer.text, problem))
        )
        both = Answer(
            text=second.text,
            tokens_in=answer.tokens_in + second.tokens_in,
            tokens_out=answer.tokens_out + second.tokens_out,
            usd_micros=answer.usd_micros + second.usd_micros,
            is_estimate=answer.is_estimate or second.is_estimate,
        )
        try:
            return lane, both, build(shape, read(second.text, schema))
        except Misfit as misfit:
            why = f"{'/'.join(lane)} missed the shape twice: {safe_line(str(misfit), 1_000)}"
            raise BadReply(why, text=second.text) from misfit

    def wait_for(self, asked: Coroutine[Any, Any, T], name: str) -> T:
        """Wait in another thread for what is done on the engine's loop; there it would stop everything: UseError."""
        assert self.loop is not None
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self.loop:
            asked.close()
            raise UseError(f"an `async def` handler says `await … .{name}(…)`; `{name}_and_wait` is for functions")
        return asyncio.run_coroutine_threadsafe(asked, self.loop).result()

    async def stop(self) -> None:
        """Nobody is asked any more; those who have asked were cancelled, and settle what they reserved."""
        self.line.close()
        self._board.close()
        self._booking.is_stopping = True
        await self.chores.done()
        for backend in self.backends.values():
            await backend.close()


def _sync(
    connection: sqlite3.Connection, project: ProjectSpec, missing: Mapping[str, str | None]
) -> dict[str, quotas.QuotaRow]:
    quotas.sync(connection, project, missing)
    return quotas.rows(connection)
