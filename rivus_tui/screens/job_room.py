"""What can be done with jobs, on every screen that shows some."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from engine.contracts.bulk import Forecast
from engine.contracts.view import JobView
from rivus_tui.actions.action import Action
from rivus_tui.bulk_page import forecast_said
from rivus_tui.event_lines import NEWEST, Happened
from rivus_tui.format import cell
from rivus_tui.screens.dialog import confirm
from rivus_tui.screens.list_room import ListRoom
from rivus_tui.screens.picking import Picking
from rivus_tui.screens.until_when import ask_until
from rivus_tui.states import job_state
from rivus_tui.why import why_job

Row = TypeVar("Row")

_WHOLE: Final = "\0whole"


class JobRoom(ListRoom[Row]):
    """A list with a job under its cursor."""

    def chosen_job(self) -> JobView | None:
        """Return the job under the cursor."""
        raise NotImplementedError

    @property
    def has_engine(self) -> bool:
        """Whether an engine runs on this state."""
        return self.desk.status is not None and self.desk.status.engine is not None

    def happened(self) -> Happened | None:
        """Return the newest events of the job under the cursor."""
        if (job := self.chosen_job()) is None:
            return None
        events = self.desk.reader.events_page(None, NEWEST, job.name)
        return Happened(about=job.name, known=(job.name,), events=events)

    def config_place(self) -> tuple[str, ...]:
        """Where the job stands."""
        job = self.chosen_job()
        return ("jobs",) if job is None else ("jobs", job.name)

    def label(self, action: Action) -> str:
        """Return Resume where the job is paused."""
        job = self.chosen_job()
        return "Resume" if action.id == "pause" and job is not None and job.state == "paused" else action.label

    def do_why(self) -> None:
        if (job := self.chosen_job()) is not None:
            lines = why_job(job, self.desk.clock.now(), has_engine=self.has_engine)
            self.read_out(f"Why {job.name} is {job_state(job).text[2:]}", lines)

    def do_pause(self) -> None:
        job = self.chosen_job()
        if job is None:
            return
        if job.state != "paused":
            self._send("pause", job.name)
            return
        spends = Forecast()
        with self.reading():
            spends = self.desk.reader.forecast(job.name)
        if not spends.usd_micros:
            self._send("resume", job.name)
            return

        def answered(value: str | None) -> None:
            if value is not None:
                self._send("resume", job.name)

        said = forecast_said(spends)
        text = [f"{said[0].upper()}{said[1:]}.", "What it has spent by the time you pause it again stays spent."]
        dialog = confirm(self.desk.clock, f"Resume {cell(job.name).text}?", text, "resume it", "leave it paused")
        self.app.push_screen(dialog, answered)

    def do_pause_until(self) -> None:
        job = self.chosen_job()
        if job is None:
            return
        paused = {hold.stage for hold in job.holds if hold.gate == "paused"}
        if len(job.stages) < 2 and not paused:
            self._ask_until(job.name, None)
            return
        goes_on = " (paused: let it go on)"
        stages = [(f"{stage.name}{goes_on if stage.name in paused else ''}", stage.name) for stage in job.stages]
        offers = [("all of it", _WHOLE), *stages]

        def chosen(value: str | None) -> None:
            if value in paused:
                self._send("resume", job.name, {"stage": value})
            elif value is not None:
                self._ask_until(job.name, None if value == _WHOLE else value)

        self.app.push_screen(Picking(self.desk.clock, f"Pause what of {cell(job.name).text}?", offers), chosen)

    def _ask_until(self, job: str, stage: str | None) -> None:
        def pause(until: int | None, why: str) -> None:
            told = {"stage": stage, "until": until, "why": why or None}
            self._send("pause", job, {name: value for name, value in told.items() if value is not None})

        what = f"{job} {stage}" if stage else job
        ask_until(self, f"Pause {cell(what).text}", (), pause, open_end="until it is resumed")

    def do_run(self) -> None:
        if (job := self.chosen_job()) is not None:
            self._send("run", job.name)

    def _send(self, name: str, job: str, more: Mapping[str, Any] = MappingProxyType({})) -> None:
        async def send() -> None:
            outcome = await self.desk.perform(name, {"job": job, **more})
            self.report(name, outcome)
            self.reload(even_frozen=True)

        self.carry_out(send())
