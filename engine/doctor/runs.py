"""Verdicts about runs of discoveries and checks that failed: an incident without items, which a run that works closes.

The run itself is tried again with backoff whatever the verdict says. By rules and a person's word only: one source that
fails is worth no model.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Final

from engine.contracts.attempt import AttemptError
from engine.contracts.verdict import Neighbourhood, Verdict
from engine.store import incidents
from engine.store.incidents import Failed, Judged
from engine.store.plan import JobPlan

Told = tuple[str, str, str]
"""What a person is told: what it is about, a title, more."""
_QUIET: Final = ("transient", "throttled")
"""Classes that go away by themselves."""
_NOBODY: Final = 0


def judge(connection: sqlite3.Connection, job: JobPlan, problem: AttemptError | None, now: int) -> Told | None:
    """A run has ended, with this problem or (None) well; in the transaction that stores it."""
    if not job.spec.doctor.rungs:
        return None
    if problem is None:
        incidents.run_recovered(connection, job, now)
        return None
    from engine.doctor.ladder import Ladder, evidence
    from engine.rules.verdicts.rule import FIXES

    what = "check" if job.spec.is_check else "discovery"
    failed = Failed(
        id=_NOBODY,
        item_id=_NOBODY,
        stage_id=_NOBODY,
        fence=_NOBODY,
        at=now,
        error_type=problem.error_type,
        message=problem.message,
        traceback=problem.traceback,
        key="",
    )
    reading = Ladder(job.spec.name, job.spec.doctor).read(what, failed)
    signature = f"{incidents.run_prefix(job)}{reading.signature.key}"
    verdict = Ladder(job.spec.name, job.spec.doctor).judge(
        reading,
        known=lambda: incidents.said_of_run(connection, signature),
        around=lambda: Neighbourhood(same_items=1),
    )
    if verdict.cls == "item" and verdict.by != "person":
        # There is no item that could be at fault: it is the source.
        verdict = replace(verdict, cls="systemic", fix=job.spec.doctor.fixes.get("systemic") or FIXES["systemic"])
    judged = Judged(
        signature=signature,
        label=reading.signature.label,
        stage_id=_NOBODY,
        verdict=verdict,
        failures=[failed],
        evidence=evidence(reading, []),
        fate="leave",
    )
    incident = incidents.run_failed(connection, job, judged, now)
    if incident is None or verdict.cls in _QUIET:
        return None
    return f"incident:{incident}", f"the {what} of {job.spec.name} fails: {reading.signature.label}", _why(verdict)


def _why(verdict: Verdict) -> str:
    return f"{verdict.cls}: {verdict.reason}" + (f"; {verdict.fix}" if verdict.fix else "")
