"""The doctor's loop: it empties the queue of failed attempts, enacts verdicts, probes, replays and tells people.

It wakes when a group with a failure (or with what a canary did) was committed, and when something is due. Workers never
wait for it: a failed attempt is stored with a provisional fate, and the verdict corrects it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.llm import LLM
from engine.contracts.spec import ProjectSpec
from engine.contracts.steering import Hours
from engine.contracts.values import dataclass
from engine.contracts.verdict import Verdict
from engine.doctor.apprise_notifier import AppriseNotifier
from engine.doctor.enact import Acted, enact, fate
from engine.doctor.notices import Notices
from engine.doctor.passes import Passes
from engine.doctor.rounds import Rounds
from engine.kit.clock import Clock
from engine.kit.tasks import beside, end_task, wait_for_any
from engine.rules.eligibility import quiet_until
from engine.store import breakers, incidents
from engine.store.incidents import Failed, Judged
from engine.store.stages import Finished, Left
from engine.store.writer import Writer

if TYPE_CHECKING:
    from engine.doctor.ladder import Ladder, Reading

log = logging.getLogger(__name__)

_LONGEST_SLEEP_S: Final = 60.0
_ASKED_AT_ONCE: Final = 2


@dataclass(slots=True)
class _Group:
    """Failures of one signature at one stage."""

    stage_id: int
    reading: Reading
    failures: list[Failed]


class Doctor:
    """Lives on the engine's loop."""

    def __init__(
        self,
        *,
        project: ProjectSpec,
        writer: Writer,
        clock: Clock,
        slow: Callable[[int, int], list[str]],
        probe: Callable[[int, bool], None],
        changed: Callable[[], Awaitable[None]],
        llm: LLM | None = None,
    ) -> None:
        """`slow` holds a stage's buckets back until a time and names them; `probe` lets one attempt of a stage of a
        paused job start; `changed` is called when jobs were paused or resumed."""
        self.llm = llm
        """The door to models; None: rules and the cache only."""
        self.notices = Notices(None, clock, per_hour=project.settings.doctor.notify_per_hour)
        self._project = project
        self._writer = writer
        self._clock = clock
        self._slow = slow
        self._changed = changed
        self._passes = Passes()
        self._rounds = Rounds(writer=writer, project=lambda: self._project, passes=self._passes, probe=probe)
        self._ladders: dict[str, Ladder] = {}
        self._cursor = 0
        self._broke_at: int | None = None
        """Where the queue was read when judging broke on an error."""
        self._asking: dict[tuple[int, str], _Group] = {}
        self._questions: set[asyncio.Task[None]] = set()
        self._hot: set[int] = set()
        self._calm: set[int] = set()
        self._due = True
        self._busy = False
        self._wake = asyncio.Event()
        self._next_at: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._configure()

    def start(self) -> None:
        """Begin with what the last engine left in the queue."""
        self.notices.start()
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="doctor")
        self._wake.set()

    async def stop(self) -> None:
        """End; what was not judged stays in the queue."""
        await end_task(self._task)
        for task in tuple(self._questions):
            await end_task(task)
        await self.notices.stop()

    def reload(self, project: ProjectSpec) -> None:
        """Take a new configuration."""
        self._project = project
        self._ladders = {}
        if not project.settings.doctor.notify:
            self.notices.notifier = None
        self._configure()

    def saw(self, ending: Finished | Left) -> None:
        """An attempt has ended; called for each, so it only counts."""
        stage = ending.claim.stage.id
        if isinstance(ending, Finished):
            self._passes.add(stage, self._clock.now(), passed=True)
            if stage in self._hot:
                self._calm.add(stage)
                self._due = True
        elif ending.problem is not None:
            self._passes.add(stage, self._clock.now(), passed=False)
            self._due = True
        if self._rounds.watching:
            self._due = True

    def committed(self) -> None:
        """A group was committed."""
        if self._due:
            self._wake.set()

    def look(self) -> None:
        """Something may be due: a command has changed what the doctor keeps, or time has passed."""
        self._due = True
        self._wake.set()

    @property
    def is_busy(self) -> bool:
        """Whether something waits for a verdict, or a verdict is being enacted."""
        return self._task is not None and (self._busy or self._due or bool(self._questions or self._asking))

    def _configure(self) -> None:
        settings = self._project.settings.doctor
        self.notices.per_hour = settings.notify_per_hour
        zone = ZoneInfo(self._project.settings.timezone)
        quiet = None if settings.quiet is None else Hours(start=settings.quiet[0], end=settings.quiet[1])
        self.notices.quiet_until = lambda now: None if quiet is None else quiet_until(quiet, now, zone)
        self.notices.look()
        if settings.notify:
            self.notices.notifier = AppriseNotifier(settings.notify)

    # The loop

    async def _loop(self) -> None:
        while True:
            try:
                await self._tick()
            except (StateError, EngineStopped):
                # The writer says so where people look; the queue keeps everything.
                self._due = True
                await asyncio.sleep(1.0)
            except Exception:  # no recursion: the doctor does not judge itself
                log.exception("the doctor failed")
                self._due = True
                await asyncio.sleep(1.0)
            if not self._due:
                await wait_for_any(self._wake, timeout_s=self._sleep_s())
            self._wake.clear()

    def _sleep_s(self) -> float:
        if self._next_at is None:
            return _LONGEST_SLEEP_S
        return min(_LONGEST_SLEEP_S, max(0.0, (self._next_at - self._clock.now()) / 1_000))

    async def _tick(self) -> None:
        self._due, self._busy = False, True
        if self._calm:
            stages, self._calm = self._calm, set()
            self._hot -= stages
            await self._writer.change(lambda connection, now: breakers.calm(connection, stages, now))
        while rows := await self._writer.change(self._read_queue):
            before, self._cursor = self._cursor, rows[-1].id
            try:
                await self._judge(rows)
            except (StateError, EngineStopped):
                self._cursor = before  # nothing was stored: they are judged when it can be
                raise
            except Exception:
                # A reload may have taken away what they were about: once more, and then without them.
                if self._broke_at != before:
                    self._cursor = self._broke_at = before
                raise
        rounds = await self._rounds.go()
        self._next_at = rounds.next_at
        for told in rounds.told:
            self.notices.tell(*told)
        if rounds.jobs_changed:
            await self._changed()
        if rounds.rows_changed:
            self._writer.look()
        self._busy = False

    def _read_queue(self, connection: sqlite3.Connection, _now: int) -> list[Failed]:
        return incidents.queue(connection, self._cursor)

    # Judging

    async def _judge(self, rows: list[Failed]) -> None:
        groups = await beside(self._read, rows)
        for key, group in tuple(groups.items()):
            if (waiting := self._asking.get(key)) is not None:
                # Some may be in it already: rows are read again when their batch could not be stored.
                known = {failure.id for failure in waiting.failures}
                waiting.failures += [failure for failure in group.failures if failure.id not in known]
                del groups[key]
        unread = [row.id for row in rows if not self._is_read(row)]
        asks: list[_Group] = []

        def decide(connection: sqlite3.Connection, now: int) -> Acted:
            asks.clear()
            decided = []
            for group in groups.values():
                verdict = self._verdict(connection, group, now)
                if verdict.cls == "unknown" and verdict.by == "none" and self._may_ask(group):
                    asks.append(group)
                else:
                    decided.append((group, verdict))
            incidents.leave_unjudged(connection, unread, now)
            return self._store(connection, decided, now)

        await self._enacted(await self._writer.change(decide))
        for group in asks:
            self._asking[group.stage_id, group.reading.signature.key] = group
        self._ask_next()

    def _read(self, rows: list[Failed]) -> dict[tuple[int, str], _Group]:
        """Take the texts apart and group them; in a thread, beside the loop."""
        groups: dict[tuple[int, str], _Group] = {}
        for row in rows:
            if not self._is_read(row):
                continue
            stage = self._writer.plan.stages[row.stage_id]
            reading = self._ladder(stage.job).read(stage.spec.name, row)
            key = (row.stage_id, reading.signature.key)
            if key in groups:
                groups[key].failures.append(row)
            else:
                groups[key] = _Group(row.stage_id, reading, [row])
        return groups

    def _is_read(self, row: Failed) -> bool:
        stage = self._writer.plan.stages.get(row.stage_id)
        return stage is not None and bool(self._writer.plan.jobs[stage.job].spec.doctor.rungs)

    def _ladder(self, job: str) -> Ladder:
        from engine.doctor.ladder import Ladder

        if job not in self._ladders:
            self._ladders[job] = Ladder(job, self._writer.plan.jobs[job].spec.doctor)
        return self._ladders[job]

    def _verdict(self, connection: sqlite3.Connection, group: _Group, now: int) -> Verdict:
        stage, key = group.stage_id, group.reading.signature.key
        passed, _ = self._passes.counted(stage, now)
        return self._ladder(self._writer.plan.stages[stage].job).judge(
            group.reading,
            known=lambda: incidents.known_verdict(connection, stage, key, now),
            around=lambda: incidents.around(connection, stage, key, passed),
        )

    def _store(self, connection: sqlite3.Connection, decided: list[tuple[_Group, Verdict]], now: int) -> Acted:
        """Store verdicts and what they mean, in one transaction."""
        from engine.doctor.ladder import evidence

        plan, acted = self._writer.plan, Acted()
        judged = []
        for group, verdict in decided:
            stage = plan.stages[group.stage_id]
            actions = plan.jobs[stage.job].spec.doctor.actions.get(verdict.cls, ())
            what, due_at = fate(verdict, actions, stage.spec, now)
            judged.append(
                Judged(
                    signature=group.reading.signature.key,
                    label=group.reading.signature.label,
                    stage_id=group.stage_id,
                    verdict=verdict,
                    failures=group.failures,
                    evidence=evidence(group.reading, [row.key for row in group.failures[:5]]),
                    fate=what,
                    due_at=due_at,
                )
            )
        stored = incidents.store(connection, plan, judged, now)
        for one in judged:
            incident = stored.incidents[one.signature, one.stage_id]
            enact(connection, plan, self._project, one, incident, acted, now)
        acted.next_later = stored.next_later
        return acted

    async def _enacted(self, acted: Acted) -> None:
        """What a stored batch means outside the store."""
        self._hot |= acted.hot
        if acted.slowed:
            names = {name: until for stage, until in acted.slowed.items() for name in self._slow(stage, until)}
            await self._writer.change(lambda connection, now: incidents.slow(connection, names, now))
        for told in acted.told:
            self.notices.tell(*told)
        if acted.paused or acted.next_later is not None:
            await self._changed()

    # The model

    def _may_ask(self, group: _Group) -> bool:
        spec = self._writer.plan.jobs[self._writer.plan.stages[group.stage_id].job].spec.doctor
        return "model" in spec.rungs and self.llm is not None and self.llm.missing(self._alias) is None

    @property
    def _alias(self) -> str | None:
        return self._project.settings.doctor.model

    def _ask_next(self) -> None:
        """Ask about the next signatures; equal failures that come meanwhile wait for the same answer."""
        for key in tuple(self._asking):
            if len(self._questions) >= _ASKED_AT_ONCE:
                return
            if not any(task.get_name() == _name(key) for task in self._questions):
                task = asyncio.get_running_loop().create_task(self._ask(key), name=_name(key))
                self._questions.add(task)
                task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._questions.discard(task)
        if not task.cancelled():
            if (error := task.exception()) is not None:
                log.error("a question of the doctor failed", exc_info=error)
            self._ask_next()

    async def _ask(self, key: tuple[int, str]) -> None:
        from engine.doctor import model

        group = self._asking[key]
        llm = self.llm
        assert llm is not None
        spec = self._writer.plan.jobs[self._writer.plan.stages[group.stage_id].job].spec.doctor
        try:
            asked = await model.ask(llm, group.reading.failure, spec, self._project.settings.doctor)
        finally:
            group = self._asking.pop(key)
        verdict = asked.verdict or Verdict(
            cls="unknown", confidence="low", by="none", reason=asked.problem or "no answer", fix=""
        )

        def store(connection: sqlite3.Connection, now: int) -> Acted:
            until = now + round(spec.cache_s * 1_000)
            incidents.teach(connection, group.stage_id, key[1], verdict, now, until)
            return self._store(connection, [(group, verdict)], now)

        try:
            acted = await self._writer.change(store)
        except StateError:
            # The answer is lost, the failures are not: they are read again when the state file can be written.
            self._cursor = min(self._cursor, min(failure.id for failure in group.failures) - 1)
            self.look()
            return
        await self._enacted(acted)


def _name(key: tuple[int, str]) -> str:
    return f"doctor asks {key[0]} {key[1]}"
