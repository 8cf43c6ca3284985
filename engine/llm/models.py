"""The models of a project, ready to be asked: the gateway with its parts, doors for those who ask, and commands."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import ModelNeeded, UseError
from engine.contracts.llm import SEND_AGAIN, Backend
from engine.contracts.spec import ProjectSpec
from engine.kit.clock import Clock
from engine.kit.secrets import Secrets
from engine.llm.advice import Adviser
from engine.llm.door import Door
from engine.llm.gateway import Gateway
from engine.llm.lanes import Shares, Wait
from engine.llm.ledger import Ledger, Purse
from engine.rules.budget import dollars
from engine.rules.order import due_at
from engine.store.claims import Claim
from engine.store.model_calls import Asker

COMMANDS: Final = ("ask", "review", "advise")
_PROMPT_LIMIT: Final = 900_000
_REVIEWERS_MAX: Final = 12


class Models:
    """Lives on the engine's loop."""

    def __init__(
        self,
        *,
        clock: Clock,
        chance: random.Random,
        ledger: Ledger,
        shares: Shares,
        resolve: Callable[[str], Callable[..., Any]],
        folder: Path | None,
        epoch: int,
        guard: Callable[[sqlite3.Connection, int], set[int]],
        paused: Callable[[set[int]], None],
        freed: Callable[[], None],
    ) -> None:
        """`resolve`: a dotted name to a factory of backends; `folder` holds the `.env`. For the rest see `Gateway`."""
        self._clock = clock
        self._chance = chance
        self.gateway = Gateway(
            clock=clock,
            ledger=ledger,
            shares=shares,
            resolve=resolve,
            secrets=Secrets(folder),
            epoch=epoch,
            guard=guard,
            paused=paused,
            freed=freed,
        )
        self._adviser = Adviser(ledger, clock, lambda: self.door(purpose=None))

    async def configure(
        self,
        project: ProjectSpec,
        resolve: Callable[[str], Callable[..., Any]] | None = None,
        backends: Mapping[str, Backend] | None = None,
    ) -> None:
        """Take a configuration; keys are looked up anew. `backends` stand in for configured ones."""
        if resolve is not None:
            self.gateway.resolve = resolve
        self.gateway.secrets = Secrets(project.source.parent if project.source is not None else None)
        self._adviser.configure(project.settings)
        await self.gateway.configure(project, backends)

    def look(self) -> None:
        """Something that is shared with stages may be free."""
        if len(self.gateway.line):
            self.gateway.line.look()
        self._adviser.look()

    def hold(self, model: str | None) -> Wait | None:
        """Why no stage that needs this alias should start now; None: it may."""
        return self.gateway.hold(model)

    def left(self, model: str) -> tuple[int, int | None] | None:
        """(uses left, when it resets in ms UTC) of an alias's quota; None when nobody counts it."""
        return self.gateway.left(model)

    def door(self, *, purpose: str | None = None) -> Door:
        """A door for a part of the engine itself, on no job's account."""
        return Door(self.gateway, self._chance, asker=Asker(stage=purpose))

    def door_of(self, claim: Claim) -> Door:
        """The door of one attempt."""
        spec = claim.stage.spec
        asker = Asker(
            job=claim.stage.job,
            job_id=claim.stage.job_id,
            item_id=claim.item.id,
            stage_id=claim.stage.id,
            stage=spec.name,
            key=claim.item.key,
            fence=claim.fence,
        )
        return Door(
            self.gateway,
            self._chance,
            asker=asker,
            model=spec.model,
            urgency=due_at(claim.started_at, claim.item.priority),
            purse=Purse(spec.max_cost_usd_micros),
            repeats=claim.answer == SEND_AGAIN,
        )

    async def stop(self) -> None:
        """Nothing is asked any more."""
        await self._adviser.stop()
        await self.gateway.stop()

    # Commands of a person: their urgency is now

    async def command(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Run one of `COMMANDS`."""
        if name == "advise":
            return await self._adviser.ask(forget=bool(args.get("forget", False)))
        return await (self._ask(args) if name == "ask" else self._review(args))

    async def _ask(self, args: Mapping[str, Any]) -> CommandOutcome:
        prompt, model, system, schema = (args.get(name) for name in ("prompt", "model", "system", "schema"))
        if not isinstance(prompt, str) or not prompt.strip() or len(prompt) > _PROMPT_LIMIT:
            raise UseError(f"`ask` needs a prompt of at most {_PROMPT_LIMIT:,} characters")
        for given, what in ((model, "model"), (system, "system")):
            if given is not None and not isinstance(given, str):
                raise UseError(f"`ask`: {what} is text")
        if schema is not None and not isinstance(schema, dict):
            raise UseError("`ask`: schema is a JSON Schema")
        reply = await self.door().ask(prompt, model=model, system=system, schema=schema, urgency=0)
        cost = "from the cache" if reply.cached else dollars(reply.cost_usd_micros)
        return CommandOutcome(
            ok=True,
            message=f"{reply.model}, {cost}, {reply.tokens_in} tokens in, {reply.tokens_out} out",
            data={
                "text": reply.text,
                "value": reply.value,
                "model": reply.model,
                "alias": reply.alias,
                "cost_usd_micros": reply.cost_usd_micros,
                "tokens_in": reply.tokens_in,
                "tokens_out": reply.tokens_out,
                "cached": reply.cached,
            },
        )

    async def _review(self, args: Mapping[str, Any]) -> CommandOutcome:
        from engine.llm.review import DOCUMENT_LIMIT, review, told

        name, text, reviewers = (args.get(key) for key in ("name", "text", "reviewers"))
        if not isinstance(name, str) or not isinstance(text, str) or not text.strip() or len(text) > DOCUMENT_LIMIT:
            raise UseError(f"`review` needs a document of at most {DOCUMENT_LIMIT:,} characters with some text in it")
        if not isinstance(reviewers, list | tuple) or not 1 <= len(reviewers) <= _REVIEWERS_MAX:
            raise UseError(f"`review` needs one to {_REVIEWERS_MAX} reviewers")
        for reviewer in reviewers:
            if why := self.gateway.missing(str(reviewer)):
                raise ModelNeeded(why)
        deadline = args.get("deadline_s", 300.0)
        if not isinstance(deadline, int | float) or not 0 < deadline <= 86_400:
            raise UseError("`review`: deadline_s is a number of seconds")
        report, consensus = await review(
            self.gateway, self._chance, name, text, [str(one) for one in reviewers], float(deadline)
        )
        answered = sum(ballot.error is None for ballot in consensus.ballots)
        verdict = consensus.value if consensus.value is not None else f"no consensus ({consensus.how})"
        return CommandOutcome(
            ok=answered > 0,
            message=f"{verdict}: {answered} of {len(consensus.ballots)} reviewers answered, "
            f"{dollars(consensus.cost_usd_micros)}",
            data={"report": report, **told(consensus)},
        )
