"""Buckets and resources as rows: what pace has given survives a restart, and screens can say why a queue waits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from engine.contracts.spec import ResourceSpec
from engine.store.sql import queries

_SQL = queries("limits")


def buckets(connection: sqlite3.Connection) -> dict[str, float]:
    """Bucket → theoretical arrival time, ms UTC."""
    return dict(connection.execute(_SQL.buckets))


def store_buckets(connection: sqlite3.Connection, given: Sequence[tuple[str, float, int]]) -> None:
    """Store what buckets gave: name, theoretical arrival time, when the next grant is free."""
    if given:
        connection.executemany(_SQL.store_bucket, given)


def sync_resources(connection: sqlite3.Connection, resources: Iterable[ResourceSpec]) -> None:
    """Write the resources as configured."""
    connection.execute(_SQL.clear_resources)
    connection.executemany(
        _SQL.store_resource,
        [(spec.name, spec.capacity, str(spec.pace) if spec.pace else None) for spec in resources],
    )
