"""Judge a history: replay what the witness saw, and name every rule that it breaks.

The rules, by number:

1. A fence rises by one at each claim and never falls.
2. Nothing is claimed that is running.
3. Only the newest attempt of a row stores a result, at the moment at which it ends.
4. An attempt stores at most one result.
5. Nothing is taken from an engine that lives before its lease is over.
6. A stage starts only when all before it are done or skipped, and only if it is enabled. Before one that was skipped
   because it is disabled stands what stands before that; one that its handler skipped has had its turn.
7. Nothing of a job that a guard has paused is claimed, and money stays within the limit and what was under way.
8. Once an engine has started, nothing is left running under an earlier epoch.
9. When the faults end, everything comes to an end within a bounded time, and nothing is stranded.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SATISFIED = ("done", "skipped")
HOUR_MS = 3_600_000


@dataclass(slots=True)
class _Row:
    state: str
    fence: int
    owner: int | None = None
    had_its_turn: bool = False
    """It was skipped by its handler, in the order of stages that held then."""


@dataclass(slots=True)
class History:
    """What was seen so far of one state file; feed it the rows of `witness` in order."""

    limit_usd_micros: int
    """Daily limit of every job that has one."""
    slack_usd_micros: int
    """What may be under way when it is reached."""
    problems: list[str] = field(default_factory=list)
    claims: int = 0
    epoch: int = 0
    tell: int | None = None
    """The number of an item whose whole life is to be told."""
    told: list[tuple[Any, ...]] = field(default_factory=list)
    _rows: dict[tuple[int, int], _Row] = field(default_factory=dict)
    _strangers: int = 0
    _results: set[tuple[int, int, int]] = field(default_factory=set)
    _stages: dict[int, tuple[int, str, tuple[str, ...], bool]] = field(default_factory=dict)
    _held: set[int] = field(default_factory=set)
    _spent: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    _capped: set[int] = field(default_factory=set)
    _hash: Any = field(default_factory=hashlib.sha256)

    def cap(self, jobs: set[int]) -> None:
        """These jobs have the daily limit."""
        self._capped |= jobs

    def uncap(self) -> None:
        """No job has a limit from here on."""
        self.limit_usd_micros = sys.maxsize

    @property
    def digest(self) -> str:
        """SHA-256 of everything that was seen."""
        return str(self._hash.hexdigest())

    def take(self, connection: sqlite3.Connection) -> None:
        """Read what is new in the witness, judge it, and take it out."""
        for row in connection.execute(
            "SELECT n, at, what, item, stage, old, new, old_fence, fence, old_owner, owner, more, interrupted "
            "FROM witness ORDER BY n"
        ).fetchall():
            self._hash.update(repr(row[1:]).encode())
            if self.tell is not None and (row[3] == self.tell or row[2] in ("stage", "epoch")):
                self.told.append(row)
            self.problems += [f"rule {rule}: {text}; at {row}" for rule, text in self._judge(*row[1:])]
        connection.execute("DELETE FROM witness")

    def _judge(
        self, at: int, what: str, item: int, stage: int, old: str, new: str, old_fence: int, fence: int,
        old_owner: int | None, owner: int | None, more: int, interrupted: int,
    ) -> Iterator[tuple[int, str]]:  # fmt: skip
        if what == "row":
            yield from self._moved(at, item, stage, old, new, old_fence, fence, old_owner, owner, more, interrupted)
        elif what == "new":
            self._rows[item, stage] = _Row(new, fence)
        elif what == "result":
            row = self._rows[item, stage]
            if (row.state, row.fence) != ("done", fence):
                yield 3, f"a result of fence {fence} for a row that is {row.state} at fence {row.fence}"
            if (item, stage, fence) in self._results:
                yield 4, "a second result of one attempt"
            self._results.add((item, stage, fence))
        elif what == "job":
            self._held.discard(item)
            if new == "paused" and old == "guard":
                self._held.add(item)
        elif what == "stage":
            self._stages[stage] = (item, old, tuple(json.loads(new)), bool(more))
        elif what == "spent":
            day = at // (24 * HOUR_MS)
            self._spent[item, day] += more
            if item in self._capped and self._spent[item, day] > self.limit_usd_micros + self.slack_usd_micros:
                yield 7, f"{self._spent[item, day]} were spent in a day"
        elif what == "epoch":
            self.epoch = more
            self._strangers = sum(row.state == "running" for row in self._rows.values())

    def _moved(
        self, at: int, item: int, stage: int, old: str, new: str, old_fence: int, fence: int,
        old_owner: int | None, owner: int | None, lease: int | None, interrupted: int,
    ) -> Iterator[tuple[int, str]]:  # fmt: skip
        row = self._rows[item, stage]
        claimed = new == "running" and (old != "running" or fence != old_fence)
        if fence < old_fence:
            yield 1, "a fence fell"
        if claimed:
            self.claims += 1
            yield from self._claimed(item, stage, old, old_fence, fence, owner)
        if interrupted > 0 and old_owner == self.epoch and (lease is None or lease >= at):
            yield 5, "taken from an engine that lives, before its lease was over"
        if old == "running" and old_owner != self.epoch and new != "running":
            self._strangers -= 1
        row.state, row.fence, row.owner, row.had_its_turn = new, fence, owner, (old, new) == ("running", "skipped")

    def _claimed(
        self, item: int, stage: int, old: str, old_fence: int, fence: int, owner: int | None
    ) -> Iterator[tuple[int, str]]:
        if fence != old_fence + 1:
            yield 1, f"a claim took the fence from {old_fence} to {fence}"
        if old == "running":
            yield 2, "claimed while it was running"
        if owner != self.epoch:
            yield 8, f"claimed for epoch {owner}, this is {self.epoch}"
        if self._strangers:
            yield 8, f"{self._strangers} rows still run under an earlier epoch"
            self._strangers = 0
        job, _, after, enabled = self._stages[stage]
        if not enabled:
            yield 6, "a stage that is disabled or removed was claimed"
        numbers = {name: number for number, (of, name, _, on) in self._stages.items() if of == job}
        for name, state in self._before(item, numbers, after):
            if state not in SATISFIED:
                yield 6, f"`{name}` before it is {state}"
        if job in self._held:
            yield 7, "claimed of a job that a guard has paused"

    def _before(self, item: int, numbers: dict[str, int], after: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """What stands before a stage, and before what was skipped there."""
        for name in after:
            if (row := self._rows.get((item, numbers[name]))) is not None:
                yield name, row.state
                if row.state == "skipped" and not row.had_its_turn:
                    yield from self._before(item, numbers, self._stages[numbers[name]][2])


def stranded(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with a state file in which everything that can run has run."""
    found: list[str] = []
    rows = connection.execute(
        "SELECT i.id, i.key, i.state, s.name, s.after, r.state, s.job_id FROM items AS i "
        "JOIN item_stages AS r ON r.item_id = i.id JOIN stages AS s ON s.id = r.stage_id "
        "JOIN jobs AS j ON j.id = i.job_id WHERE NOT s.removed AND j.state = 'active' ORDER BY i.id, s.position"
    ).fetchall()
    states: dict[int, dict[str, str]] = defaultdict(dict)
    for item, _, _, name, _, state, _ in rows:
        states[item][name] = state
    for item, key, own, name, after, state, _ in rows:
        if own in ("dropped", "gone", "snoozed"):
            continue
        if state in ("ready", "running", "later"):
            found.append(f"rule 9: {key} is left {state} at {name}")
        if state == "blocked" and all(states[item].get(one, "done") in SATISFIED for one in json.loads(after)):
            found.append(f"rule 9: {key} is blocked at {name} by nothing")
        if own == "pending":
            found.append(f"rule 9: {key} is pending at the end")
    for query, what in (
        ("SELECT stage_id, state, count(*) FROM item_stages GROUP BY 1, 2", "stage_counts"),
        ("SELECT job_id, source_id, state, count(*) FROM items GROUP BY 1, 2, 3", "item_counts"),
    ):
        kept = sorted(connection.execute(f"SELECT * FROM {what} WHERE n > 0"))
        if kept != sorted(connection.execute(query)):
            found.append(f"{what} are not what is there")
    found += [f"foreign key: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    found += [f"integrity: {row[0]}" for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    found += [f"used attempts fell below none: {row}" for row in connection.execute(
        "SELECT item_id, stage_id, attempts FROM item_stages WHERE attempts < 0"
    )]  # fmt: skip
    return found
