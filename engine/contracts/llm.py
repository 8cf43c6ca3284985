"""The one door to the models: what is asked, what comes back, and the seam for those who answer.

Handlers get an `LLM` as `ctx.llm`, bound to their job, stage, item and urgency; the doctor and the services get one of
their own. Behind it stand quota, pace, budget, deadline, breaker, cache and ledger; a `Backend` only sends and counts.
Errors are those below `ModelError` in `engine.contracts.errors`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, Protocol

from engine.contracts.values import dataclass

Role = Literal["system", "user", "assistant"]

Schema = Mapping[str, Any] | type[Any]
"""The shape of an answer: a JSON Schema (an object at the top), or a dataclass, which is then what comes back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of what is sent. Text from outside belongs into `user` messages, marked as data."""

    role: Role
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One question to one alias."""

    messages: tuple[Message, ...]
    model: str | None = None
    """Alias below `models` in jobs.yaml; None: the stage's `model`, else the first alias there is."""
    purpose: str = "ask"
    """What it is for, in one or two words; shown in costs (`scope`, `doctor`, `stale`)."""
    schema: Schema | None = None
    """The answer must fit this; one repair is tried, then BadReply."""
    temperature: float = 0.0
    """At 0 an identical question is answered from the cache."""
    max_tokens: int | None = None
    """Longest answer; None: the alias's own limit. The worst case that is reserved depends on it."""
    max_cost_usd_micros: int | None = None
    """Most that this one call may cost; None: no limit of its own."""
    timeout_s: float | None = None
    """Deadline for the answer, from when it is sent; None: the alias's own."""
    wait_s: float = 60.0
    """How long to wait for a free backend, quota or pace before ModelBusy says when to come back."""
    urgency: int | None = None
    """Rank among those that wait, the lowest first, as a due time in ms UTC; None: that of the item, else now."""
    is_fresh: bool = False
    """True: not from the cache."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """One answer."""

    text: str
    """As it came; clean it before it is shown."""
    value: Any = None
    """The answer as the schema says: the dataclass, or JSON values. None without a schema."""
    model: str
    """Who answered: `backend/mode`, such as `openai/gpt-5-mini`."""
    alias: str
    cost_usd_micros: int
    """What it cost, repairs included; what was reserved where the price is not known. The door books it: it does not
    belong into `Done.cost_usd_micros`."""
    tokens_in: int
    tokens_out: int
    cached: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ballot:
    """What one member of a jury said."""

    member: str
    """Alias that was asked."""
    model: str | None
    """Who answered; None: nobody in time."""
    value: Any
    """Its answer by the schema; None when it gave none."""
    text: str
    error: str | None
    """Why there is no answer."""
    cost_usd_micros: int
    ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Consensus:
    """What a jury came to."""

    value: Any
    """The answer most agree on; None: no consensus, a person decides."""
    agreement: float
    """Share of the given answers that are that one, 0 to 1."""
    how: str
    """`majority`, `median`, `one vote decides`, `ranking`, `no quorum` or `no majority`."""
    ballots: tuple[Ballot, ...]
    cost_usd_micros: int
    decided: str = ""
    """Field of the answers that was compared; '': the answers as a whole."""

    @property
    def dissent(self) -> tuple[Ballot, ...]:
        """Answers that say another thing."""
        return tuple(ballot for ballot in self.ballots if ballot.error is None and self._said(ballot) != self.value)

    def _said(self, ballot: Ballot) -> Any:
        if not self.decided:
            return ballot.value if ballot.value is not None else ballot.text
        if isinstance(ballot.value, Mapping):
            return ballot.value.get(self.decided)
        return getattr(ballot.value, self.decided, None)


SEND_AGAIN = "send it again"
"""What a person answers when a request whose answer a crash has swallowed may be sent a second time."""

Wait = Literal["quota", "budget", "idle"]
"""What a conversation can wait for: its quota's reset, the next budget day, a backend that nobody else wants."""


class Conversation(Protocol):
    """Many turns with one alias, kept in the state file; found again by its name within the item.

    A handler that starts again says the same things again: what was answered before comes from the state file and is
    not sent twice. A request whose answer a crash has swallowed raises InDoubt, and is sent again only when `repeat`
    says so.
    """

    @property
    def turns(self) -> int:
        """Answered turns."""
        ...

    async def say(self, text: str, *, schema: Schema | None = None, repeat: bool = False) -> Reply:
        """Send one more turn, checkpointed before it is sent."""
        ...

    def say_and_wait(self, text: str, *, schema: Schema | None = None, repeat: bool = False) -> Reply:
        """The same for plain functions, in a worker process or a thread; never on the engine's loop."""
        ...

    def release(self) -> None:
        """Let a more urgent conversation have the backend: before long work on files, for instance."""
        ...

    async def wait_for(self, what: Wait) -> None:
        """Return when it is so; ModelBusy says until when the attempt is parked where that takes long."""
        ...

    async def close(self, *, why: str = "") -> None:
        """It is over."""
        ...


class LLM(Protocol):
    """The door, as its user sees it."""

    def missing(self, model: str | None = None) -> str | None:
        """Why this alias (any, when None) cannot be asked, in a sentence with what to do; None: it can."""
        ...

    async def ask(
        self,
        prompt: str | Sequence[Message] | Request,
        *,
        model: str | None = None,
        schema: Schema | None = None,
        purpose: str | None = None,
        system: str | None = None,
        urgency: int | None = None,
    ) -> Reply:
        """Ask one question; the keywords overrule what a `Request` says. Raises what `ModelError` and ModelNeeded are.

        In a worker process (a handler that is a plain function) use `ask_and_wait`.
        """
        ...

    def ask_and_wait(
        self,
        prompt: str | Sequence[Message] | Request,
        *,
        model: str | None = None,
        schema: Schema | None = None,
        purpose: str | None = None,
        system: str | None = None,
        urgency: int | None = None,
    ) -> Reply:
        """The same for plain functions, in a worker process; never on the engine's loop."""
        ...

    async def jury(
        self,
        prompt: str | Sequence[Message] | Request,
        *,
        members: Sequence[str],
        schema: Schema | None,
        decide: str,
        scale: Sequence[Any] = (),
        decisive: Any = None,
        quorum: int | None = None,
        deadline_s: float = 300.0,
        purpose: str | None = None,
    ) -> Consensus:
        """Ask several aliases the same and compare the field `decide` of their answers; '' ranks the answers instead.

        `scale` lists its values in order: then the median counts, else the majority. `decisive`: one vote for this
        value is enough (safety). `quorum`: so many answers are needed by the deadline; None: more than half.
        """
        ...

    def jury_and_wait(
        self,
        prompt: str | Sequence[Message] | Request,
        *,
        members: Sequence[str],
        schema: Schema | None,
        decide: str,
        scale: Sequence[Any] = (),
        decisive: Any = None,
        quorum: int | None = None,
        deadline_s: float = 300.0,
        purpose: str | None = None,
    ) -> Consensus:
        """The same for plain functions, in a worker process or a thread; never on the engine's loop."""
        ...

    def conversation(self, name: str, *, model: str | None = None, system: str = "", keep: int = 50) -> Conversation:
        """Begin a conversation, or go on with the one of this name; `keep`: turns that are sent along, the others as a
        running summary."""
        ...


# The seam for those who answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What a backend is given: a request whose alias has become a mode."""

    mode: str
    """For an HTTP backend its model, for another one its way of working (`deep`)."""
    messages: tuple[Message, ...]
    json_schema: Mapping[str, Any] | None
    temperature: float
    max_tokens: int
    timeout_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What a backend gives back."""

    text: str
    tokens_in: int | None
    """None: not told."""
    tokens_out: int | None
    cost_usd_micros: int | None = None
    """None: not told, then price and tokens count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What a mode costs, in micro-dollars for a million tokens."""

    in_per_million: int
    out_per_million: int


FailureKind = Literal["transient", "throttled", "systemic", "item", "context", "code_bug"]
"""How a backend failed, in the doctor's classes; `context`: the question is too long for this model."""


class BackendFailure(Exception):
    """A backend could not answer."""

    def __init__(
        self,
        message: str,
        *,
        kind: FailureKind,
        status: int | None = None,
        retry_after_s: float | None = None,
        is_charged: bool = False,
        is_unsent: bool = False,
        counted: Answered | None = None,
    ) -> None:
        self.kind: FailureKind = kind
        self.status = status
        self.retry_after_s = retry_after_s
        """The provider said: not before so many seconds."""
        self.is_charged = is_charged
        """It may have been answered and paid all the same (a connection that broke): it counts at its worst case."""
        self.is_unsent = is_unsent
        """Nothing reached the provider (no connection was made): it counts against no quota."""
        self.counted = counted
        """What came was counted though it is of no use (cut off, refused, empty): it costs that, not the worst case."""
        super().__init__(message)


class Backend(Protocol):
    """One way to reach models. Made by a factory that takes a `BackendOptions`, named by `use` below `backends`."""

    def price(self, mode: str) -> Price | None:
        """What this mode costs; None: not known."""
        ...

    def context_tokens(self, mode: str) -> int | None:
        """How many tokens fit into question and answer together; None: not known."""
        ...

    def busy(self) -> str | None:
        """Why it can take nothing now (a browser that somebody uses); None: it can."""
        ...

    async def prepare(self) -> None:
        """Get ready (imports, connections) before the first call; called once, before a deadline runs."""
        ...

    async def call(self, sent: Sent) -> Answered:
        """Ask; BackendFailure for everything that goes wrong. Cancelled at the deadline."""
        ...

    async def close(self) -> None:
        """End; nothing is called after it."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendOptions:
    """What a backend's factory gets."""

    name: str
    base_url: str | None = None
    provider: str | None = None
    """What litellm calls it."""
    key: str | None = field(default=None, repr=False)
    """The secret, if one is configured; never store or log it."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Keys below `params` in jobs.yaml."""
