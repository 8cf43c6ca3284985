"""What can be done to items, on every screen that shows some: each deed carries the keys it was pressed for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.contracts.values import dataclass
from engine.contracts.view import ItemDetail, ItemQuery, ItemView, JobView
from rivus_tui.bulk_page import RETURN, paused_jobs, question
from rivus_tui.format import cell, morning_after, plural
from rivus_tui.screens.dialog import Choice, Dialog, TextPrompt, confirm
from rivus_tui.screens.picking import Picking
from rivus_tui.screens.room import Room
from rivus_tui.screens.until_when import ask_until
from rivus_tui.sources import ItemKey, item_key
from rivus_tui.why import why_item

log = logging.getLogger("rivus.tui")

ASK_ABOVE: Final = 20
"""A reversible deed on more items than this asks first."""
_QUEUE: Final = 500
"""Rows of a queue that are looked at for the place of one."""
_DISMISSALS: Final = (
    ("1", "false positive"),
    ("2", "won't fix"),
    ("3", "used in tests"),
    ("4", "accepted as it is"),
)
"""Keys and reasons to put a finding aside."""
_OTHER: Final = "\0other"


def _are_findings(items: tuple[ItemView, ...]) -> bool:
    """Whether a check has found all of them: it would find again what is only cancelled."""
    return bool(items) and all("check" in item.data for item in items)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """What a deed is about, as it was when its key was pressed: questions may come before it, and rows move."""

    items: tuple[ItemView, ...]
    """The marked items, or the one under the cursor."""
    all: ItemQuery | list[int]
    """The same as a set; a query where all that the list shows is marked."""
    asks: bool
    """Whether a deed on it asks first, as it was not picked one by one or is big."""


class ItemRoom(Room):
    """A screen with items."""

    def chosen_items(self) -> tuple[ItemView, ...]:
        """Return what a deed is about: the marked items, or the one under the cursor."""
        raise NotImplementedError

    def focused_detail(self) -> ItemDetail | None:
        """Return the item under the cursor with all that is known."""
        raise NotImplementedError

    def clear_marks(self) -> None:
        """Mark nothing; a list has marks, an item's own page has none."""

    def is_bulk(self) -> bool:
        """Whether what is chosen was not picked one by one."""
        return False

    def chosen_set(self) -> ItemQuery | list[int]:
        """Return what a deed on many items is about."""
        return [item.id for item in self.chosen_items()]

    def chosen(self) -> Chosen:
        """Return what a deed is about from now on."""
        items = self.chosen_items()
        return Chosen(items=items, all=self.chosen_set(), asks=self.is_bulk() or len(items) > ASK_ABOVE)

    def sending(self, keys: set[ItemKey]) -> None:
        """A command for these items is on its way."""

    def sent(self, keys: set[ItemKey]) -> None:
        """The engine has answered about these items."""
        self.reload(even_frozen=True)

    # Deeds

    def do_accept(self) -> None:
        items = self.chosen_items()
        detail = self.focused_detail()
        if len(items) == 1 and not self.is_bulk() and detail is not None and self._ask_for_answer(items[0], detail):
            return
        self._maybe_ask("accept", self.chosen(), "accept", {})

    def do_drop(self) -> None:
        chosen = self.chosen()
        if _are_findings(chosen.items) and not isinstance(chosen.all, ItemQuery):
            self._ask_for_dismissal(chosen.items)
        else:
            self._maybe_ask("drop", chosen, "won't do", {})

    def _ask_for_dismissal(self, items: tuple[ItemView, ...]) -> None:
        choices = [Choice(key=key, label=why, value=why) for key, why in _DISMISSALS]

        def chosen(value: str | None) -> None:
            if value is not None:
                self.send("drop", items, {"why": value})

        text = [
            _names(items),
            "It does not come back while its check finds the same; N puts it aside for a time. u takes it back.",
        ]
        choices.append(Choice(key="n", label="leave it", value=None))
        self.app.push_screen(Dialog(self.desk.clock, "Dismiss the finding: why?", text, choices), chosen)

    def do_later(self) -> None:
        until = morning_after(self.desk.clock.now(), 1)
        self._maybe_ask("snooze", self.chosen(), "put off", {"until": until})

    def do_later_at(self) -> None:
        chosen = self.chosen()

        def put_off(until: int | None, why: str) -> None:
            self._maybe_ask("snooze", chosen, "put off", {"until": until, **({"why": why} if why else {})})

        ask_until(self, "Later", ["All that are marked." if self.is_bulk() else _names(chosen.items)], put_off)

    def do_cancel(self) -> None:
        chosen = self.chosen()
        items = chosen.items
        if chosen.asks:
            self._ask_about_many("cancel", "cancel", {}, chosen)
            return
        if _are_findings(items):
            self._ask_for_dismissal(items)
            return
        text = [_names(items), "What is left of them is skipped; what runs is stopped. u takes it back."]
        dialog = confirm(self.desk.clock, f"Cancel {plural(len(items), 'item')}?", text, "cancel them", "keep them")
        self.app.push_screen(dialog, self._if_yes(lambda: self.send("cancel", items, {})))

    def do_retry(self) -> None:
        self._maybe_ask("retry", self.chosen(), "try again", {})

    def do_raise_priority(self) -> None:
        self._prioritise(-1)

    def do_lower_priority(self) -> None:
        self._prioritise(1)

    def _prioritise(self, step: int) -> None:
        if self.is_bulk():
            self._ask_for_priority()
            return
        wanted: dict[int | None, list[ItemView]] = {}
        for item in self.chosen_items():
            target = next_priority(item.priority, step)
            if target != item.priority:
                wanted.setdefault(target, []).append(item)
        if not wanted:
            self.say("already the most urgent" if step < 0 else "already without a priority", "warning")
        for priority, items in wanted.items():
            self.send("prioritise", tuple(items), {"priority": priority}, decided=False)

    def do_start(self) -> None:
        if isinstance(self.chosen_set(), ItemQuery):
            self.say("all that are marked cannot go first: mark those that shall", "warning")
            return
        self.send("start", self.chosen_items(), {}, decided=False)

    def do_edit(self) -> None:
        item = self.under_cursor()
        if item is None:
            self.say("it is no longer there", "warning")
            return

        def named(value: str | None) -> None:
            if value is not None and value != item.title:
                self.send("edit", (item,), {"title": value}, decided=False)

        self.app.push_screen(TextPrompt("Edit the title", "Its source keeps its own words.", item.title), named)

    def do_merge(self) -> None:
        into = self.under_cursor()
        items = tuple(item for item in self.chosen_items() if into is None or item_key(item) != item_key(into))
        chosen = self.chosen()
        one_job = into is not None and all(item.job == into.job for item in items)
        if into is None or not items or not one_job or isinstance(chosen.all, ItemQuery):
            self.say("mark the ones that are the same, then go to the one that stays", "warning")
            return
        more = {"into": into.key}
        if not chosen.asks:
            self.send("merge", items, more)
            return
        text = [_names(items), f"They are dropped for: {into.title}. One u takes it back."]
        dialog = confirm(self.desk.clock, f"Merge {plural(len(items), 'item')}?", text, "merge them", "leave them")
        self.app.push_screen(dialog, self._if_yes(lambda: self.send("merge", items, more)))

    def do_rescope(self) -> None:
        chosen = self.chosen()
        items = chosen.items
        if chosen.asks:
            self._ask_about_many("reset", "scope again", {"stage": "scope"}, chosen)
            return
        price = (
            "about $0.01 to $0.05 each; what follows from the scope runs again too. u takes it back until it starts."
        )
        dialog = confirm(
            self.desk.clock, f"Scope {plural(len(items), 'item')} again?", [_names(items), price], "scope", "leave it"
        )
        again = {"stage": "scope"}
        self.app.push_screen(dialog, self._if_yes(lambda: self.send("reset", items, again, decided=False)))

    def under_cursor(self) -> ItemView | None:
        """Return the item under the cursor, whatever is marked."""
        detail = self.focused_detail()
        return None if detail is None else detail.item

    def _maybe_ask(self, name: str, chosen: Chosen, verb: str, more: Mapping[str, Any]) -> None:
        if chosen.asks:
            self._ask_about_many(name, verb, more, chosen)
        else:
            self.send(name, chosen.items, more)

    def _ask_for_priority(self) -> None:
        """Ask which priority all that are marked shall have: steps would need each to be looked at."""
        marked = self.chosen()
        choices = [Choice(key=str(number), label=f"P{number}", value=str(number)) for number in range(4)]
        choices.append(Choice(key="minus", label="none", value="none"))
        choices.append(Choice(key="n", label="leave as it is", value=None))

        def chosen(value: str | None) -> None:
            if value is not None:
                more = {"priority": None if value == "none" else int(value)}
                self._ask_about_many("prioritise", "set the priority", more, marked)

        self.app.push_screen(Dialog(self.desk.clock, "Which priority for all that are marked?", (), choices), chosen)

    def _ask_about_many(self, name: str, verb: str, more: Mapping[str, Any], chosen: Chosen) -> None:
        """Look at the chosen set, and ask with what it would change, cost and take. From here on it is this set."""

        async def ask() -> None:
            try:
                look = await asyncio.to_thread(self.desk.reader.bulk_look, name, more, chosen.all)
            except Exception as error:
                # Whatever a damaged or vanished state file raises.
                log.exception("looking at a set of items failed")
                self.say(str(error) or type(error).__name__, "error")
                return
            if not look.eligible:
                self.say(f"{verb}: none of {plural(look.total, 'item')}: {look.why_not}", "warning")
                return
            paused = paused_jobs(name, self.jobs())
            title = f"{verb[0].upper()}{verb[1:]}: {plural(look.eligible, 'item')}?"
            dialog = confirm(self.desk.clock, title, [*question(look, paused), RETURN], verb, "leave them")
            args = {"name": name, "targets": look.targets, **more}
            self.app.push_screen(dialog, self._if_yes(lambda: self._send_many(args)))

        self.run_worker(ask(), group="ask", exclusive=True, exit_on_error=True)

    def _send_many(self, args: Mapping[str, Any]) -> None:
        async def run() -> None:
            outcome = await self.desk.perform("bulk", args)
            if not outcome.ok:
                self.report("bulk", outcome)
            self.clear_marks()
            self.sent(set())

        self.carry_out(run())

    def _if_yes(self, run: Callable[[], None]) -> Callable[[str | None], None]:
        def answered(value: str | None) -> None:
            if value is not None:
                run()

        return answered

    def _ask_for_answer(self, item: ItemView, detail: ItemDetail) -> bool:
        """Ask the question of a stage that waits for an answer; False when it waits at a gate instead."""
        if detail.item.key != item.key or detail.item.job != item.job:
            return False
        asking = next((stage for stage in detail.stages if stage.state == "waiting" and stage.gate is None), None)
        if asking is None:
            return False

        def answered(value: str | None) -> None:
            if value == _OTHER:
                self.app.push_screen(TextPrompt(item.title, asking.why or "Your answer"), answered)
            elif value is not None:
                self.send("answer", (item,), {"answer": value})

        if not asking.choices:
            self.app.push_screen(TextPrompt(item.title, asking.why or "Your answer"), answered)
            return True
        offers = [(choice, choice) for choice in asking.choices]
        beside = (
            Choice(key="o", label="in your own words", value=_OTHER),
            Choice(key="n", label="not now", value=None),
        )
        asked = Picking(self.desk.clock, item.title, offers, [asking.why or ""], beside)
        self.app.push_screen(asked, answered)
        return True

    def send(self, name: str, items: Sequence[ItemView], more: Mapping[str, Any], *, decided: bool = True) -> None:
        """Run a command for items, one for each job they are of; `decided`: they are off the table at once."""
        keys = {item_key(item) for item in items}
        by_job: dict[str, list[str]] = {}
        for item in items:
            by_job.setdefault(item.job, []).append(item.key)
        if decided:
            self.sending(keys)

        async def run() -> None:
            try:
                outcomes = [
                    await self.desk.perform(name, {"job": job, "keys": names, **more}) for job, names in by_job.items()
                ]
                self.report(name, *outcomes)
            finally:
                self.sent(keys)

        self.carry_out(run())

    # Looking closer

    def do_why(self) -> None:
        detail = self.focused_detail()
        if detail is None:
            self.say("it is no longer there", "warning")
            return
        job = self.job_named(detail.item.job)
        has_engine = self.desk.status is not None and self.desk.status.engine is not None
        lines = why_item(detail, job, self.desk.clock.now(), has_engine=has_engine, ahead=self._ahead(detail))
        self.read_out(f"Why: {cell(detail.item.title).text}", lines)

    def _ahead(self, detail: ItemDetail) -> int | None:
        """How many go before the first ready stage of an item; None: too many to look at."""
        ready = next((stage.stage for stage in detail.stages if stage.state == "ready"), None)
        if ready is None:
            return None
        queue: list[str] = []
        with self.reading():
            coming = self.desk.reader.plan(detail.item.job, _QUEUE)
            queue = [one.key for one in coming if one.stage == ready]
        return queue.index(detail.item.key) if detail.item.key in queue else None

    def job_named(self, name: str) -> JobView | None:
        """Return a job by its name; None when there is none, or when it cannot be read."""
        return next((job for job in self.jobs() if job.name == name), None)

    def jobs(self) -> Sequence[JobView]:
        """Return all jobs; none when they cannot be read."""
        jobs: Sequence[JobView] = ()
        with self.reading():
            jobs = self.desk.reader.jobs()
        return jobs

    def do_source(self) -> None:
        item = self.under_cursor()
        if item is None or item.path is None:
            self.say("it comes from no file", "warning")
            return
        self.open_file(self.desk.root, item.path, item.line)


def next_priority(priority: int | None, step: int) -> int | None:
    """Return the priority one step up (-1) or down (+1) the ladder P0, P1, P2, P3, none."""
    at = max(0, min(4, (4 if priority is None else priority) + step))
    return None if at == 4 else at


def _names(items: Sequence[ItemView]) -> str:
    shown = ", ".join(cell(item.title, limit=60).text for item in items[:3])
    return f"{shown} and {len(items) - 3:,} more" if len(items) > 3 else shown
