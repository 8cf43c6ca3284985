"""Parcels of a post office that does not exist: most arrive, some ask, some fail, each in a way of its own.

What becomes of a parcel follows from its number, so that the demo is the same each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from engine.contracts.context import Context, DiscoveryContext
from engine.contracts.item import Candidate
from engine.contracts.outcome import Ask, Done, Fail, Later, Outcome, Skip
from engine.contracts.seam import accepts

_TOWNS: Final = (
    *("Aachen", "Bergen", "Córdoba", "Dublin", "Esbjerg", "Ferrara", "Gdańsk", "Haarlem", "İzmir", "Jena"),
    *("Kraków", "Liège", "Málaga", "Nîmes", "Odense", "Porto", "Québec", "Réunion", "Smolensk", "Tromsø"),
)
_GOODS: Final = ("books", "a clock", "tea", "a lamp", "seeds", "a map", "paint", "a radio")
_TARIFFS: Final = {town: 100 + 7 * at for at, town in enumerate(_TOWNS)}
_STEPS: Final = 20


@accepts("count")
async def find(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Yield the parcels of today."""
    ctx.scope(["counter"])
    for number in range(int(ctx.params.get("count", 60))):
        town, goods = _TOWNS[number % len(_TOWNS)], _GOODS[number % len(_GOODS)]
        yield Candidate(
            key=f"P-{1000 + number}",
            title=f"{goods} to {town}",
            data={
                "town": town,
                "goods": goods,
                "weight": 0 if number % 17 == 16 else 200 + 37 * number,
                "number": number,
            },
            revision="1",
        )


def weigh(ctx: Context) -> Outcome:
    """Weigh a parcel, in a worker process; a letter in disguise need not be."""
    grams = int(ctx.item.data["weight"])
    if grams == 0:
        return Skip(why="it goes as a letter, whatever it weighs")
    return Done(output={"grams": grams, "size": "small" if grams < 900 else "large"})


async def price(ctx: Context) -> Outcome:
    """Look up what it costs; of some it must be known whether they break."""
    number = int(ctx.item.data["number"])
    if number % 19 == 7 and ctx.answer is None:
        return Ask(question="Is it fragile?", choices=("yes", "no"))
    tariff = _TARIFFS[ctx.item.data["town"]]
    # Pretended, so that there are costs to look at: nobody is asked for it, and nobody is paid.
    return Done(output={"tariff": tariff, "fragile": ctx.answer == "yes"}, cost_usd_micros=4_000)


async def customs(ctx: Context) -> Outcome:
    """Show it to the customs, who are not always there."""
    number = int(ctx.item.data["number"])
    if number % 11 == 3:
        raise ConnectionResetError(104, "Connection reset by peer")
    if number % 13 == 5 and ctx.attempt == 1:
        raise TimeoutError("the customs did not answer within 10 s")
    if number % 23 == 9:
        return Later(after=1_800, why="the customs open at nine")
    if number % 29 == 12:
        return Fail(why=f"{ctx.item.data['goods']} must not be sent there")
    return Done(output={"stamp": f"C{number:03}"})


async def deliver(ctx: Context) -> Outcome:
    """Drive there: slow, two at a time, with progress."""
    for step in range(_STEPS):
        ctx.progress(step, _STEPS, f"{(step + 1) * 5} km towards {ctx.item.data['town']}")
        await asyncio.sleep(0.4)
    return Done(output={"signed": True})


async def letters(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Yield letters, which wait because their job is paused."""
    ctx.scope(["box"])
    for number in range(12):
        yield Candidate(key=f"L-{number + 1}", title=f"letter to {_TOWNS[number]}")


async def returned(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Yield what came back."""
    ctx.scope(["back door"])
    for number in range(6):
        yield Candidate(
            key=f"R-{number + 1}", title=f"{_GOODS[number]} back from {_TOWNS[number]}", data={"to": "sender"}
        )


async def refund(ctx: Context) -> dict[str, Any]:
    """Pay back what it cost. The mistake in it is there for the doctor to find."""
    return {"refund": ctx.item.data["price"] / 2}


async def stamp(ctx: Context) -> dict[str, Any]:
    """Stamp a letter."""
    return {"stamped": ctx.item.key}
