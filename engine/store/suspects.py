"""Rows that were running in several crashes: they run alone, so that the next crash tells which of them it was.

An item that kills the engine takes along whatever runs beside it. After its second interruption a row does not queue
any more: it waits, as `later`, until nothing else runs (at a start that is at once). If the engine dies again, the one
that ran alone is held for a person; the innocent ones have passed by then, and are as before.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import replace

from engine.store import counts, settle
from engine.store.claims import Claim, Lease, claims_of
from engine.store.plan import Plan
from engine.store.sql import queries

_SQL = queries("suspects")


def any_left(connection: sqlite3.Connection) -> bool:
    """Whether any row waits for a run of its own."""
    return bool(connection.execute(_SQL.any).fetchone()[0])


def claim(
    connection: sqlite3.Connection, plan: Plan, stages: Collection[int], lease: Lease, now: int, *, alone: bool
) -> list[Claim]:
    """Claim one suspect of these stages; none while another one runs. `alone`: nothing else runs or starts with it."""
    if connection.execute(_SQL.running).fetchone()[0]:
        return []
    values: dict[str, object] = {"now": now, "stages": json.dumps(list(stages))}
    while (found := connection.execute(_SQL.next, values).fetchone()) is not None:
        item_id, stage_id = found
        if connection.execute(_SQL.is_held, (item_id,)).fetchone()[0]:
            # Nothing of its item may start: it stands with what is held, and comes back with its item.
            settle.move(connection, stage_id, "blocked", [item_id], now)
            continue
        row = {"item": item_id, "stage": stage_id, "now": now, "epoch": lease.epoch, "lease_until": lease.until}
        rows = connection.execute(_SQL.claim, {**row, "alone": int(alone)}).fetchall()
        counts.stages_moved(connection, stage_id, "later", "running", len(rows))
        # One whose data is damaged has failed at once: the next one has its turn.
        if claimed := claims_of(connection, plan, stage_id, rows, lease, now):
            return [replace(claim, alone=alone) for claim in claimed]
    return []


def accompany(connection: sqlite3.Connection, claim: Claim) -> None:
    """The attempt has run alone for long enough: others may run beside it."""
    connection.execute(_SQL.accompany, {"item": claim.item.id, "stage": claim.stage.id, "fence": claim.fence})
