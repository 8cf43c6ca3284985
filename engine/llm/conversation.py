"""Conversations: many turns, each stored before it is sent, so that a crash asks nothing twice.

A handler that starts again says the same things again; what was answered comes from the state file (replay). A turn
whose answer a crash has swallowed is in doubt: it may have been answered and paid, and is sent again only when `repeat`
says so. Old turns go into a running summary. Between turns a conversation may keep its place at a backend (`hold`),
which a more urgent request takes from it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import field
from typing import Any

from engine.contracts.errors import BadReply, InDoubt, ModelBusy
from engine.contracts.llm import Message, Reply, Request, Schema, Wait
from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line
from engine.kit.shapes import Misfit, build, json_schema, read
from engine.llm.call import Answer
from engine.llm.gateway import Gateway
from engine.llm.lanes import Hold
from engine.llm.ledger import Checkpoint, Purse
from engine.rules.conversation import fold_question, fold_until
from engine.store import conversations as store
from engine.store.conversations import ConversationRow, Kind, TurnRow
from engine.store.model_calls import Asker


@dataclass(slots=True)
class Talk:
    """Implements `engine.contracts.llm.Conversation` on the engine's loop."""

    gateway: Gateway
    asker: Asker
    purse: Purse
    name: str
    model: str | None
    system: str
    keep: int
    urgency: int
    keeps_place: bool = False
    let_go: Callable[[Talk | None], None] = lambda _speaker: None
    """Gives the places of the attempt's other conversations to others."""
    repeats: bool = False
    """Turns in doubt are sent again."""
    _row: ConversationRow | None = None
    _cursor: int = 0
    """Turns that this run has said."""
    _hold: Hold | None = None
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def turns(self) -> int:
        """Answered turns."""
        return len(self._answered()) if self._row is not None else 0

    async def say(self, text: str, *, schema: Schema | None = None, repeat: bool = False) -> Reply:
        """Send one more turn; what was said and answered before is not sent again."""
        async with self._busy:
            try:
                return await self._say(text, schema, repeat)
            except BadReply as error:
                problem = safe_line(str(error), 1_000)
            told = f"That does not fit: {problem}. Answer again, with only the JSON object."
            return await self._say(told, schema, repeat)

    def say_and_wait(self, text: str, *, schema: Schema | None = None, repeat: bool = False) -> Reply:
        """The same for a plain function in a thread."""
        return self.gateway.wait_for(self.say(text, schema=schema, repeat=repeat), "say")

    async def _say(self, text: str, schema: Schema | None, repeat: bool) -> Reply:
        row = await self._open()
        asked = await self._next(row, text)
        if asked is not None and asked.answer is not None:
            self._cursor += 1
            return self._replay(row, asked, schema)
        if asked is not None and not (repeat or self.repeats):
            raise InDoubt(
                f"conversation {self.name}: its turn {asked.n} was sent before the engine ended, and its answer is lost"
            )
        row = await self._fold(row)
        n = asked.n if asked is not None else (row.turns[-1].n if row.turns else 0) + 1
        reply = await self._send(row, n, "turn", text, self._messages(row, text), schema)
        self._cursor += 1
        return reply

    async def _open(self) -> ConversationRow:
        if self._row is None:
            alias, system = self.model or "", self.system
            self._row = await self.gateway.ledger.change(
                lambda connection, now: store.open_or_begin(
                    connection, self.asker, self.name, alias=alias, system=system, now=now
                )
            )
        return self._row

    async def _next(self, row: ConversationRow, text: str) -> TurnRow | None:
        """The stored turn that this one repeats, or None for a new one.

        Where a handler says something else than it said before, its conversation goes on from the end.
        """
        said = [turn for turn in row.turns if turn.kind == "turn"]
        if self._cursor >= len(said):
            return None
        turn = said[self._cursor]
        if turn.hash == store.hash_of(text):
            return turn
        self._cursor = len(said)
        if said[-1].answer is None:
            # Another question takes the place of the one in doubt: that one is given up.
            await self._unsay(row, said[-1].n)
            self._cursor -= 1
        return None

    async def _unsay(self, row: ConversationRow, n: int) -> None:
        await self.gateway.ledger.change(lambda connection, now: store.unsay(connection, row.id, n, None, now))
        row.turns = [turn for turn in row.turns if turn.n != n]

    def _replay(self, row: ConversationRow, turn: TurnRow, schema: Schema | None) -> Reply:
        assert turn.answer is not None
        value: Any = None
        if schema is not None:
            try:
                value = build(schema, read(turn.answer, json_schema(schema)))
            except Misfit as misfit:
                raise BadReply(f"{turn.model}: {safe_line(str(misfit), 1_000)}", text=turn.answer) from misfit
        return Reply(
            text=turn.answer,
            value=value,
            model=turn.model or "",
            alias=row.alias or "",
            cost_usd_micros=0,
            tokens_in=turn.tokens_in,
            tokens_out=turn.tokens_out,
            cached=True,
        )

    def _answered(self) -> list[TurnRow]:
        assert self._row is not None
        return [turn for turn in self._row.turns if turn.kind == "turn" and turn.answer is not None]

    def _messages(self, row: ConversationRow, text: str) -> tuple[Message, ...]:
        told = [Message(role="system", content=row.system)] if row.system else []
        if row.summary:
            told.append(Message(role="system", content=f"Summary of the conversation so far:\n{row.summary}"))
        for turn in self._answered()[row.kept_from - 1 :]:
            told.append(Message(role="user", content=turn.question))
            told.append(Message(role="assistant", content=turn.answer or ""))
        return (*told, Message(role="user", content=text))

    async def _send(
        self,
        row: ConversationRow,
        n: int,
        kind: Kind,
        text: str,
        messages: tuple[Message, ...],
        schema: Schema | None,
    ) -> Reply:
        def answered(connection: sqlite3.Connection, model: str, answer: Answer, now: int) -> None:
            store.answer(
                connection,
                row.id,
                n,
                answer.text,
                model=model,
                tokens_in=answer.tokens_in,
                tokens_out=answer.tokens_out,
                usd_micros=answer.usd_micros,
                now=now,
            )

        def unanswered(connection: sqlite3.Connection, why: str, is_lost: bool, now: int) -> None:
            if is_lost:
                store.move(connection, row.id, "doubt", f"{why}; it may have been answered and paid", None, now)
            else:
                store.unsay(connection, row.id, n, why or None, now)

        checkpoint = Checkpoint(
            reserved=lambda connection, call, now: store.ask(connection, row.id, n, kind, text, call, now),
            answered=answered,
            unanswered=unanswered,
        )
        request = Request(
            messages=messages,
            model=row.alias or None,
            purpose="summary" if kind == "summary" else self.name[:60],
            schema=schema,
            urgency=self.urgency,
        )
        try:
            return await self.gateway.ask(
                request, self.asker, self.purse, hold=await self._place(row), checkpoint=checkpoint
            )
        except ModelBusy as busy:
            await self._park(row, str(busy), busy.until)
            raise
        finally:
            await self._refresh()

    async def _refresh(self) -> ConversationRow:
        """Read the turns again: what was stored is what counts."""
        name, asker = self.name, self.asker
        self._row = row = await asyncio.shield(
            asyncio.ensure_future(
                self.gateway.ledger.change(
                    lambda connection, now: store.open_or_begin(
                        connection, asker, name, alias=self.model or "", system=self.system, now=now
                    )
                )
            )
        )
        return row

    async def _fold(self, row: ConversationRow) -> ConversationRow:
        """Put the oldest turns into the summary when there are too many; one attempt for each span of turns."""
        answered = self._answered()
        until = fold_until(len(answered), row.kept_from, self.keep)
        if until is None:
            return row
        old = [(turn.question, turn.answer or "") for turn in answered[row.kept_from - 1 : until - 1]]
        question = fold_question(row.summary, old)
        asked = next((turn for turn in row.turns if turn.hash == store.hash_of(question)), None)
        if asked is not None and asked.answer is None:
            return row  # its answer was lost: the turns stay as they are until more have gathered
        if asked is None:
            n = row.turns[-1].n + 1
            reply = await self._send(row, n, "summary", question, (Message(role="user", content=question),), None)
            summary = reply.text
        else:
            summary = asked.answer or ""
        await self.gateway.ledger.change(
            lambda connection, now: store.fold(connection, row.id, summary.strip(), until, now)
        )
        return await self._refresh()

    # The place at a backend

    async def _place(self, row: ConversationRow) -> Hold | None:
        self.let_go(self)
        if not self.keeps_place:
            return None
        if self._hold is None:
            alias = self.gateway.alias(row.alias or None)
            self._hold = Hold(alias.lanes[0][0], self.urgency, self._lost)
        return self._hold

    def _lost(self, why: str) -> None:
        """Somebody more urgent took the place: go on when it is free again."""
        row = self._row
        if row is not None:
            self.gateway.chores.do(
                self.gateway.ledger.change(
                    lambda connection, now: store.move(connection, row.id, "paused", why, None, now)
                )
            )

    def release(self) -> None:
        """Give the place to others until the next turn."""
        if self._hold is not None:
            self.gateway.lanes.drop(self._hold)
            self.gateway.line.look()

    async def wait_for(self, what: Wait) -> None:
        """Return when it is so, else park this attempt with a time."""
        row = await self._open()
        self.release()
        now = self.gateway.clock.now()
        until: int | None = None
        why = ""
        if what == "quota":
            wait = self.gateway.hold(row.alias or None)
            until, why = (wait.until, wait.why) if wait is not None else (None, "")
        elif what == "budget":
            until, why = self.gateway.budget_wait(self.asker)
        elif len(self.gateway.line):
            until, why = now + 60_000, f"{len(self.gateway.line)} others want a backend"
        if until is None or until <= now:
            return
        await self._park(row, why, until)
        raise ModelBusy(f"conversation {self.name} waits: {why}", until=until)

    async def _park(self, row: ConversationRow, why: str, until: int | None) -> None:
        await self.gateway.ledger.change(
            lambda connection, now: store.move(connection, row.id, "waiting", why, until, now)
        )

    async def close(self, *, why: str = "") -> None:
        """It is over; its turns stay to be read."""
        row = await self._open()
        self.release()
        await self.gateway.ledger.change(
            lambda connection, now: store.move(connection, row.id, "closed", safe_line(why, 300) or None, None, now)
        )
