"""What the doctor looks after between failures: canaries, replays, planned actions, the error rate."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import field

from engine.contracts.spec import ProjectSpec
from engine.contracts.values import dataclass
from engine.doctor.passes import Passes
from engine.rules.breaker import too_many_errors
from engine.store import breakers, doctor_acts, incidents, replays
from engine.store.plan import Plan
from engine.store.writer import Writer


@dataclass(slots=True)
class Round:
    """What one look brought about."""

    next_at: int | None = None
    """When something is due again, ms UTC."""
    jobs_changed: bool = False
    rows_changed: bool = False
    probes: list[int] = field(default_factory=list)
    """Stages of which one attempt may start although their job is paused."""
    given_up: list[int] = field(default_factory=list)
    """Stages whose canary was taken away before it ran: nothing else may start in its place."""
    told: list[tuple[str, str, str]] = field(default_factory=list)


class Rounds:
    """One transaction a look."""

    def __init__(
        self,
        *,
        writer: Writer,
        project: Callable[[], ProjectSpec],
        passes: Passes,
        probe: Callable[[int, bool], None],
    ) -> None:
        self.watching = True
        """Whether canaries or replays run, so that every ending may matter."""
        self._writer = writer
        self._project = project
        self._passes = passes
        self._probe = probe

    async def go(self) -> Round:
        """Look at everything that may be due."""
        found = await self._writer.change(self._look)
        for stage in found.given_up:
            self._probe(stage, False)
        for stage in found.probes:
            self._probe(stage, True)
        return found

    def _look(self, connection: sqlite3.Connection, now: int) -> Round:
        plan, found = self._writer.plan, Round()
        self._check_rates(connection, plan, found, now)
        self._probes(connection, plan, found, now)
        for incident in replays.going_on(connection):
            if replays.look(connection, plan, incident, now) == "passed":
                found.rows_changed = True
        for act in doctor_acts.due(connection, now):
            self._take(connection, plan, act, found, now)
        incidents.forget(connection, now)
        times = [breakers.next_at(connection), doctor_acts.next_at(connection)]
        found.next_at = min((at for at in times if at is not None), default=None)
        self.watching = bool(replays.going_on(connection) or breakers.running(connection))
        return found

    def _probes(self, connection: sqlite3.Connection, plan: Plan, found: Round, now: int) -> None:
        for probe in breakers.running(connection):
            if probe.outcome == "running":
                # After a restart nobody else knows that this one may start.
                found.probes.append(probe.stage_id)
                continue
            probe_s = self._probe_s(plan, probe.stage_id)
            if probe.outcome == "cannot":
                breakers.choose_again(connection, probe, probe_s, now)
                found.given_up.append(probe.stage_id)
                continue
            breakers.end_probe(connection, plan, probe, probe_s=probe_s, now=now)
            if probe.outcome == "passed":
                found.jobs_changed = found.rows_changed = True
        for probe in breakers.due(connection, now):
            paused_by = breakers.paused_by(connection, probe.job_id)
            if paused_by is None:
                # A person has let the job go on: that is the reset.
                breakers.clear(connection, plan, probe.job_id, by="person", now=now)
                continue
            if paused_by != breakers.PAUSED_BY:
                # A person or the day's money says that nothing runs: no canary either.
                breakers.put_off(connection, probe, self._probe_s(plan, probe.stage_id), now)
                continue
            if breakers.start_probe(connection, plan, probe, probe_s=self._probe_s(plan, probe.stage_id), now=now):
                found.probes.append(probe.stage_id)
                found.rows_changed = True

    @staticmethod
    def _probe_s(plan: Plan, stage_id: int) -> float:
        stage = plan.stages.get(stage_id)
        return plan.jobs[stage.job].spec.doctor.probe_s if stage else 300.0

    def _check_rates(self, connection: sqlite3.Connection, plan: Plan, found: Round, now: int) -> None:
        """The guard of the error rate: the same breaker, tripped in another way."""
        for job in plan.jobs.values():
            spec = job.spec.doctor
            if spec.error_rate is None:
                continue
            for number in job.stages:
                passed, failed = self._passes.counted(number, now, spec.error_window_s / 60)
                if not too_many_errors(failed, passed, spec.error_rate):
                    continue
                stage = plan.stages[number].spec.name
                why = f"{failed} of {failed + passed} attempts at {stage} failed; {spec.error_rate:.0%} are allowed"
                breakers.count(connection, number, breakers.RATE, 0, now)
                if breakers.trip(connection, plan, number, breakers.RATE, why=why, probe_s=spec.probe_s, now=now):
                    found.jobs_changed = True
                    found.told.append((f"pause:{job.spec.name}", f"{job.spec.name} is paused", why))
                    self._passes.forget(number)

    def _take(self, connection: sqlite3.Connection, plan: Plan, act: doctor_acts.Act, found: Round, now: int) -> None:
        """Take an action whose time has come."""
        job = next((job for job in plan.jobs.values() if job.id == act.job_id), None)
        if job is not None and act.action == "pause" and act.stage_id is not None and act.stage_id in plan.stages:
            cls = incidents.class_of(connection, act.incident)
            breakers.count(connection, act.stage_id, cls, 0, now)
            probe_s = job.spec.doctor.probe_s
            if breakers.trip(connection, plan, act.stage_id, cls, why=act.text, probe_s=probe_s, now=now):
                found.jobs_changed = True
        elif act.action == "todo":
            doctor_acts.send_to_todos(connection, plan, act.incident, now)
            found.rows_changed = True
        elif act.action == "notify" and act.job_id is not None:
            found.told.append((f"incident:{act.incident}", act.text, ""))
        doctor_acts.end(connection, act, "done", now)
