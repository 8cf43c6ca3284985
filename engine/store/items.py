"""Items as discovery brings them: insert, merge, close, find gone, bring back, reconcile with changed stages."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from engine.contracts.item import Candidate, Known
from engine.contracts.states import ItemState, StageState
from engine.contracts.values import dataclass
from engine.kit.compact_json import encode
from engine.kit.safe_text import safe_line
from engine.rules.amended import laid_over
from engine.rules.order import due_at
from engine.rules.states import item_state, start_states
from engine.store import counts, facts, findings, provenance, retention, settle
from engine.store.events import Event, record
from engine.store.plan import JobPlan, Plan
from engine.store.sql import insert, queries

_SQL = queries("items")

Origin = Literal["scan", "check", "manual", "emit"]
KEY_LIMIT = 512
STAGE_DISABLED = "the stage is disabled"
"""Why a row is skipped that comes back when its stage is enabled; the statements name it too."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a batch of candidates changed."""

    seen: tuple[int, ...]
    """Numbers of all items in the batch."""
    new: int
    changed: int


def upsert(
    connection: sqlite3.Connection,
    plan: Plan,
    job: JobPlan,
    candidates: Sequence[Candidate],
    *,
    source_id: int,
    origin: Origin,
    run_id: int | None,
    now: int,
    needs_by: str = "",
) -> Merged:
    """Insert new items with their stage rows, merge known ones.

    A merge replaces title, data and place; it never touches state, results or a person's decision. A new `revision`
    runs the stages again and drops what they gave before; `closed` skips what is left; an item that was gone comes
    back. What a handler emits for an item that something else found only fills what that item lacks. `needs_by`: the
    stage that says what items wait for; empty for a source.
    """
    by_key = {key_of(candidate): candidate for candidate in candidates}
    known = {row[1]: row for row in connection.execute(_SQL.by_keys, {"job": job.id, "keys": json.dumps(list(by_key))})}
    fresh = [(key, candidate) for key, candidate in by_key.items() if key not in known]
    events: list[Event] = []
    unsettled: set[int] = set()
    ids = _insert(connection, job, fresh, source_id=source_id, origin=origin, run_id=run_id, now=now)
    unjudged = set(ids) if job.spec.steers else set()
    for item_id, (key, candidate) in zip(ids, fresh, strict=True):
        if candidate.needs and facts.set_needs(connection, job, item_id, key, candidate.needs, now, needs_by):
            unjudged.add(item_id)
    needs = facts.has_needs(connection, job)
    if needs:
        facts.note_new(connection, [number for number, (_, one) in zip(ids, fresh, strict=True) if one.closed])
    changed = 0
    for key, row in known.items():
        candidate = by_key[key]
        fills = origin == "emit" and row[2] != "emit"
        changed += _merge(connection, job, row, candidate, origin, events, unsettled, unjudged, now)
        ids.append(row[0])
        if (candidate.needs or (needs and not fills)) and facts.set_needs(
            connection, job, row[0], key, candidate.needs, now, needs_by
        ):
            unjudged.add(row[0])
    provenance.seen(connection, [row[0] for row in known.values()], now)
    for number, (key, candidate) in zip(ids, [*fresh, *((key, by_key[key]) for key in known)], strict=True):
        if candidate.provenance:
            provenance.add(connection, number, candidate.provenance, now)
        if key in known and known[key][16] != source_id:
            provenance.add(connection, number, {"discovery": plan.job_of(source_id).spec.name}, now)
    unsettled |= facts.decide(connection, plan, unjudged, now)
    settle.settle(connection, plan, unsettled, now)
    record(connection, events, now)
    return Merged(tuple(ids), len(fresh), changed)


def key_of(candidate: Candidate) -> str:
    """The key under which a candidate is stored."""
    return safe_line(candidate.key, KEY_LIMIT)


def _insert(
    connection: sqlite3.Connection,
    job: JobPlan,
    fresh: Sequence[tuple[str, Candidate]],
    *,
    source_id: int,
    origin: Origin,
    run_id: int | None,
    now: int,
) -> list[int]:
    (last,) = connection.execute(_SQL.max_id).fetchone()
    ids = list(range(last + 1, last + 1 + len(fresh)))
    parents = dict(zip((key for key, _ in fresh), ids, strict=True))
    open_states: tuple[StageState, ...] = tuple(_first_states(job).values())
    skipped = tuple[StageState, ...](["skipped"] * len(open_states))
    open_state = item_state(open_states)
    rows: list[tuple[Any, ...]] = []
    stage_rows: list[tuple[Any, ...]] = []
    put_in: Counter[ItemState] = Counter()
    for item_id, (key, candidate) in zip(ids, fresh, strict=True):
        closed = candidate.closed
        states = skipped if closed else open_states
        why = safe_line(candidate.why) or None if closed else None
        state = item_state(states, closed) if closed else open_state
        put_in[state] += 1
        rows.append(
            (
                item_id,
                job.id,
                key,
                source_id,
                origin,
                run_id,
                _parent(connection, job, candidate, parents) if candidate.parent_key is not None else None,
                safe_line(candidate.title) or key,
                _encode(candidate.data),
                candidate.revision,
                candidate.confidence,
                candidate.path,
                candidate.line,
                _encode_headings(candidate.headings),
                state,
                closed,
                "source" if closed else None,
                why,
                candidate.priority,
                None if candidate.priority is None else "source",
                candidate.priority,
                _encode(candidate.signals) if candidate.signals else "{}",
                now,
                now,
            )
        )
        due = due_at(now, candidate.priority)
        stage_rows += [
            (
                item_id,
                number,
                stage_state,
                due if stage_state == "ready" else None,
                why if closed or stage_state != "skipped" else STAGE_DISABLED,
            )
            for number, stage_state in zip(job.stages, states, strict=True)
        ]
    insert(connection, _SQL.insert, rows)
    counts.items_put_in(connection, job.id, source_id, put_in)
    _put_in(connection, stage_rows)
    return ids


def _put_in(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of items at stages, and count them: the one place that does."""
    insert(connection, _SQL.insert_stage, rows)
    counts.stages_put_in(connection, Counter((stage, state) for _, stage, state, _, _ in rows))


def _first_states(job: JobPlan) -> dict[str, StageState]:
    stages = job.spec.stages
    return start_states(
        [stage.name for stage in stages],
        {stage.name: stage.after for stage in stages},
        settled={},
        disabled={stage.name for stage in stages if not stage.enabled},
        gated={stage.name for stage in stages if stage.gate},
    )


def _parent(connection: sqlite3.Connection, job: JobPlan, candidate: Candidate, fresh: dict[str, int]) -> int | None:
    if candidate.parent_key is None:
        return None
    key = safe_line(candidate.parent_key, KEY_LIMIT)
    if key in fresh:
        return fresh[key]
    row = connection.execute(_SQL.id_of_key, (job.id, key)).fetchone()
    return row[0] if row else None


def _encode(data: Mapping[str, Any]) -> str:
    return encode(data if type(data) is dict else dict(data))


def _encode_headings(headings: Sequence[str]) -> str:
    return json.dumps([safe_line(heading, 200) for heading in headings]) if headings else "[]"


def _merge(
    connection: sqlite3.Connection,
    job: JobPlan,
    row: tuple[Any, ...],
    candidate: Candidate,
    origin: Origin,
    events: list[Event],
    unsettled: set[int],
    unjudged: set[int],
    now: int,
) -> bool:
    (
        item_id, key, given_by, title, data, revision, confidence, path, line, headings, state, closed, closed_by,
        missed, given, signals, _, titled, amended,
    ) = row  # fmt: skip
    if origin == "emit" and given_by != "emit":
        _fill(connection, row, candidate)
        unjudged.add(item_id)
        return False
    by_person = state == "dropped" or closed_by == "person"
    renewed = (
        not by_person
        and candidate.closed is None
        and revision is not None
        and candidate.revision not in (None, revision)
    )
    values: dict[str, object] = {
        "id": item_id,
        "title": titled or safe_line(candidate.title) or key,
        "data": _encode(candidate.data if amended is None else laid_over(candidate.data, json.loads(amended))),
        "data_given": _encode(candidate.data),
        # The revision that the stages ran for, or will run for: while nothing of the item may run, it stays behind, so
        # that the item runs again when it is open again.
        "revision": candidate.revision if renewed or revision is None else revision,
        "confidence": candidate.confidence,
        "path": candidate.path,
        "line": candidate.line,
        "headings": _encode_headings(candidate.headings),
        "priority": candidate.priority,
        "missed": 0,
    }
    known_signals = json.loads(signals) if signals != "{}" else {}
    told = (title, data, revision, confidence, path, line, headings)
    new = tuple(values[name] for name in ("title", "data", "revision", "confidence", "path", "line", "headings"))
    gave_more = candidate.priority not in (None, given) or (
        bool(candidate.signals) and _more(known_signals, candidate.signals) != known_signals
    )
    if told != new or missed or gave_more or amended is not None:
        values["signals"] = _encode(_more(known_signals, candidate.signals))
        connection.execute(_SQL.merge, values)
        unjudged.add(item_id)
    if by_person:
        return False

    def say(kind: str, text: str | None = None) -> None:
        events.append(Event(kind=kind, actor="discovery", job_id=job.id, item_id=item_id, text=text))

    if state == "gone":
        connection.execute(_SQL.back, {"id": item_id, "now": now})
        connection.execute(_SQL.unskip_stages, {"item": item_id})
        unsettled.add(item_id)
        say("item.back")
    if candidate.closed is not None:
        if closed != candidate.closed:
            close(connection, item_id, candidate.closed, safe_line(candidate.why), now, by="source")
            unsettled.add(item_id)
            say("item.closed", safe_line(candidate.why) or None)
            return True
        return False
    if closed is not None:
        connection.execute(_SQL.reopen, {"id": item_id, "now": now})
        connection.execute(_SQL.unskip_stages, {"item": item_id})
        findings.back(connection, item_id)
        unsettled.add(item_id)
        say("item.reopened", "found again" if origin == "check" else "open again at its source")
    if renewed:
        connection.execute(_SQL.reset_stages, {"item": item_id})
        connection.execute(_SQL.drop_results, {"item": item_id})
        retention.trim(connection, item_id)
        if candidate.ask_again:
            connection.execute(_SQL.close_gates, {"item": item_id})
        unsettled.add(item_id)
        say("item.changed", "its content changed; its stages run again")
    return renewed or closed is not None or bool(state == "gone")


def _more(known: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Signals with what is new; a value that is not known replaces nothing."""
    return {**known, **{name: value for name, value in new.items() if value is not None}}


def _fill(connection: sqlite3.Connection, row: tuple[Any, ...], candidate: Candidate) -> None:
    """Take over what the item lacks; its source alone says what it is, where it is and whether it is open."""
    item_id, key, _, title, data, revision, confidence, path, line, headings, _, _, _, missed, given, signals = row[:16]
    values: dict[str, object] = {
        "title": safe_line(candidate.title) or key if title == key else title,
        "data": _encode({**candidate.data, **json.loads(data)}),
        "data_given": None,  # what its source says beneath a person's changes stays
        "revision": revision,
        "confidence": confidence or candidate.confidence,
        "path": path or candidate.path,
        "line": line if path else candidate.line,
        "headings": headings
        if path or json.loads(headings)
        else json.dumps([safe_line(heading, 200) for heading in candidate.headings]),
        "priority": candidate.priority if given is None else None,
        "signals": _encode(_more(candidate.signals, json.loads(signals))),
        "missed": missed,
    }
    connection.execute(_SQL.merge, {"id": item_id, **values})


def close(
    connection: sqlite3.Connection,
    item_id: int,
    closed: Literal["done", "cancelled"],
    why: str,
    now: int,
    *,
    by: Literal["source", "person"],
) -> None:
    """Say that an item is finished as a whole, and skip what is left of it; the caller settles it."""
    connection.execute(_SQL.close, {"id": item_id, "closed": closed, "by": by, "why": why or None, "now": now})
    skip_open(connection, item_id, why, now)


def skip_open(connection: sqlite3.Connection, item_id: int, why: str, now: int) -> None:
    """Skip what is left of an item; a running attempt loses its fence, so that its result is refused."""
    connection.execute(_SQL.close_stages, {"item": item_id, "why": why or None, "now": now})


def keys_of(connection: sqlite3.Connection, items: Collection[int]) -> list[str]:
    """Keys of items, in no particular order."""
    return [row[0] for row in connection.execute(_SQL.keys_of, (json.dumps(list(items)),))]


def find_gone(
    connection: sqlite3.Connection,
    plan: Plan,
    *,
    source_id: int,
    seen: Collection[int],
    gone_after: int,
    is_check: bool,
    now: int,
    run_id: int | None = None,
    covered: Sequence[str] | None = None,
) -> int:
    """After a complete run: count what it did not see, and let go what too many runs did not; returns how many.

    An item of a scan becomes `gone`; a finding of a check counts as fixed, which is done, where the run has looked:
    below one of the `covered` paths (None: everywhere).
    """
    missed: dict[int, list[int]] = {}
    let_go: list[int] = []
    jobs: dict[int, int] = {}
    of_source = connection.execute(_SQL.of_source, {"source": source_id}).fetchall()
    for item_id, job_id, state, closed, count, path in of_source:
        if item_id in seen or state == "gone" or closed is not None:
            continue
        if is_check and not findings.is_covered(path, covered):
            continue
        missed.setdefault(count + 1, []).append(item_id)
        if count + 1 >= gone_after:
            let_go.append(item_id)
            jobs[item_id] = job_id
    for count, items in missed.items():
        connection.execute(_SQL.set_missed, {"missed": count, "items": json.dumps(items)})
    events = []
    for item_id in let_go:
        if is_check:
            close(connection, item_id, "done", "fixed: the check does not find it any more", now, by="source")
            findings.fixed(connection, item_id, run_id, now)
            events.append(Event(kind="item.fixed", actor="discovery", item_id=item_id, job_id=jobs[item_id]))
            continue
        why = f"not seen in {gone_after} complete {'run' if gone_after == 1 else 'runs'}"
        skip_open(connection, item_id, why, now)
        connection.execute(_SQL.set_gone, {"id": item_id, "why": why, "now": now})
        events.append(Event(kind="item.gone", actor="discovery", item_id=item_id, job_id=jobs[item_id], text=why))
    if is_check:
        settle.settle(connection, plan, let_go, now, release=True)
    record(connection, events, now)
    return len(let_go)


def known(connection: sqlite3.Connection, source_id: int) -> list[Known]:
    """Items that one source gave, in (path, line) order."""
    return [
        Known(
            key=key,
            title=title,
            data=json.loads(data),
            path=path,
            line=line,
            headings=tuple(json.loads(headings)),
            state=state,
        )
        for key, title, data, path, line, headings, state in connection.execute(_SQL.known, (source_id,))
    ]


def put_back(connection: sqlite3.Connection, plan: Plan, items: Iterable[int], now: int) -> None:
    """These items are as they were before a command: a stage may have been disabled or enabled since."""
    values = {"items": json.dumps(list(items)), "now": now}
    for is_enabled, query in ((False, _SQL.put_back_disabled), (True, _SQL.put_back_enabled)):
        stages = [number for number, stage in plan.stages.items() if stage.spec.enabled is is_enabled]
        connection.execute(query, {**values, "stages": json.dumps(stages)})


def reconcile(connection: sqlite3.Connection, plan: Plan, job: JobPlan, now: int) -> None:
    """Bring the items of a job in line with its stages: new ones reopen it, disabled ones are
    skipped, removed ones ignored; a row that never ran starts by what stands before it now. Nothing of a closed,
    dropped or gone item starts."""
    missing = connection.execute(_SQL.reconcile_missing, {"job": job.id}).fetchall()
    _put_in(connection, missing)
    for stage_id in job.stages:
        spec = plan.stages[stage_id].spec
        if spec.enabled:
            connection.execute(_SQL.reconcile_enabled, {"stage": stage_id, "job": job.id})
            connection.execute(_SQL.reconcile_after, {"stage": stage_id, "held": bool(spec.after or spec.gate)})
        else:
            connection.execute(_SQL.reconcile_disabled, {"stage": stage_id, "now": now})
    settle.settle(connection, plan, [row[0] for row in connection.execute(_SQL.reconcile_ids, (job.id,))], now)
