"""What handlers may ask of the engine while they run: save a checkpoint, reserve money, see the others of their job."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from engine.contracts.errors import ModelBusy, TooCostly, UseError
from engine.store import checkpoints, outlays, peers
from engine.store.claims import Claim
from engine.store.writer import Writer

Read = Callable[[Callable[[sqlite3.Connection], Any]], Awaitable[Any]]


async def answer(claim: Claim, what: str, value: Any, *, writer: Writer, read: Read, epoch: int) -> Any:
    """Answer one question of the attempt that holds `claim`; UseError for one that there is no answer to."""
    if what == "peers":
        ask = partial(peers.peers, job_id=claim.stage.job_id, item_id=claim.item.id, stage=str(value))
        return await read(ask)
    if what == "reserve":
        refusal = await writer.change(
            lambda connection, now: outlays.reserve(connection, claim, **value, epoch=epoch, now=now)
        )
        if refusal is not None:
            raise TooCostly(refusal.why) if refusal.until is None else ModelBusy(refusal.why, until=refusal.until)
        return None
    if what != "checkpoint":
        raise UseError(f"handlers cannot ask for `{what}`")
    text = checkpoints.encode(value["value"])

    def save(connection: sqlite3.Connection, now: int) -> None:
        row = (claim.item.id, claim.stage.id)
        checkpoints.save(connection, *row, fence=claim.fence, epoch=epoch, value=text, now=now)
        if value["owed"] is not None:
            outlays.owe(connection, claim, value["owed"])

    await writer.change(save)
