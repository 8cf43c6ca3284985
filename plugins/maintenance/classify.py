"""The stage that picks the cheapest tier that can carry an item out: script, one model call, jury, agent session.

An item without a priority goes no further: a person says how urgent it is. One that was broken up is carried out by its
parts, and by nothing else.

Rules: what the item says itself (the name of a tier or of an agent as a tag, `#report`), then what its scope found
(safety class, effort). No tier found: a person says which; money is never spent on a guess.

Params: `tiers`, each `NAME: {kind: script|call|jury|agent, agent: NAME, model: ALIAS, members: [ALIAS, …], wants:
diff|report}`; `default`, the tier where nothing speaks for another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.outcome import Ask, Done, Fail, Outcome
from engine.contracts.seam import accepts

KINDS: Final = ("script", "call", "jury", "agent")
"""In rising order of cost."""
PARTS: Final = "parts"
"""Kind of tier of an item that its parts carry out."""
PRIORITIES: Final = ("P0", "P1", "P2", "P3")
_BY_HAND: Final = "I do it myself"


@accepts("tiers", "default")
async def handle(ctx: Context) -> Outcome:
    """Hand on the tier: {tier, kind, agent, wants, because}."""
    tiers = _tiers(ctx.params.get("tiers"))
    if isinstance(tiers, Fail):
        return tiers
    if parts := ctx.upstream.get("decompose", {}).get("parts"):
        return Done(output={"tier": PARTS, "kind": PARTS, "because": f"its {len(parts)} parts are finished"})
    told, answer = ctx.checkpoint.load(), ctx.answer
    said: int | None = told["priority"] if isinstance(told, Mapping) else None
    if answer in PRIORITIES:
        said, answer = PRIORITIES.index(answer), None
        await ctx.checkpoint.save({"priority": said})
    if ctx.item.priority is None and said is None:
        return Ask(question="How urgent is it? Without a priority it is not carried out.", choices=PRIORITIES)
    urgency = {"priority": said, "priority_why": f"P{said}, as a person said"} if ctx.item.priority is None else {}
    if answer == _BY_HAND:
        return Fail(why="a person does it by hand; tick it off in its file when it is done")
    if answer and answer not in tiers:
        return Ask(question=f"There is no tier `{answer}`. Who shall do it?", choices=(*tiers, _BY_HAND))
    name, because = (answer, "a person said so") if answer else _pick(ctx, tiers)
    if name is None:
        return Ask(question=f"Who shall do it? {because}", choices=(*tiers, _BY_HAND))
    return replace(_done(name, tiers[name], because), signals=urgency)


def _tiers(told: object) -> dict[str, Mapping[str, Any]] | Fail:
    if not isinstance(told, Mapping) or not told:
        return Fail(why="no tier is configured: `tiers` of this stage names them")
    for name, tier in told.items():
        if not isinstance(tier, Mapping) or tier.get("kind") not in KINDS:
            return Fail(why=f"tiers.{name}: `kind` is one of {', '.join(KINDS)}")
    return {str(name): tier for name, tier in told.items()}


def _done(name: str, tier: Mapping[str, Any], because: str) -> Done:
    told = {"tier": name, "kind": tier["kind"], "because": because}
    return Done(output=told | {key: tier[key] for key in ("agent", "wants", "model", "members") if key in tier})


def _pick(ctx: Context, tiers: Mapping[str, Mapping[str, Any]]) -> tuple[str | None, str]:
    """Return the tier and why, or None and what is missing."""
    tags = {str(tag).lstrip("#@").lower() for tag in ctx.item.data.get("tags") or ()}
    for name, tier in tiers.items():
        if tags & {name.lower(), str(tier.get("agent", "")).lower() or name.lower()}:
            return name, "its own tag says so"
    scope = ctx.upstream.get("scope", {})
    reads_only = scope.get("safety") == "safe_always"
    wanted = "report" if reads_only or "report" in tags else "diff"
    fitting = [name for name, tier in tiers.items() if tier.get("wants", "diff") == wanted]
    if scope.get("effort") == "large":
        return None, "it is large: break it up, or choose all the same."
    if reads_only and fitting:
        return min(fitting, key=lambda name: KINDS.index(tiers[name]["kind"])), "it only reads and reports"
    default = ctx.params.get("default")
    if isinstance(default, str) and default in tiers:
        return default, "the default tier"
    return None, "nothing says how much it takes."
