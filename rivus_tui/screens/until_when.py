"""Until when, and why: the questions before something is put off or paused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rivus_tui.format import moment, morning_after
from rivus_tui.screens.dialog import Choice, Dialog, TextPrompt
from rivus_tui.screens.room import Room
from rivus_tui.times import moment_of

_MORNINGS: Final = (("1", "tomorrow", 1), ("2", "in three days", 3), ("3", "in a week", 7), ("4", "in a month", 30))
_OPEN: Final = "open"
_OTHER: Final = "other"


def ask_until(
    room: Room, title: str, text: Sequence[str], then: Callable[[int | None, str], None], *, open_end: str = ""
) -> None:
    """Ask until when, and why, which may stay empty; `then` gets ms UTC (None: `open_end`, if that was picked)."""
    clock = room.desk.clock
    now = clock.now()
    choices = [
        Choice(
            key=key, label=f"{word} ({moment(morning_after(now, after), now)})", value=str(morning_after(now, after))
        )
        for key, word, after in _MORNINGS
    ]
    if open_end:
        choices.append(Choice(key="0", label=open_end, value=_OPEN))
    choices.append(Choice(key="o", label="another time", value=_OTHER))
    choices.append(Choice(key="n", label="leave as it is", value=None))

    def ask_why(until: int | None) -> None:
        when = open_end if until is None else f"until {moment(until, now)}"

        def reasoned(why: str | None) -> None:
            if why is not None:
                then(until, why)

        question = "Why? It is shown beside its time; Enter alone leaves it out."
        room.app.push_screen(TextPrompt(f"{title} {when}", question, may_be_empty=True), reasoned)

    def trouble(value: str) -> str:
        try:
            return "" if moment_of(value, now) > now else f"{value} is over already"
        except ValueError as error:
            return str(error)

    def typed(value: str | None) -> None:
        if value is not None:
            ask_why(moment_of(value, now))

    def chosen(value: str | None) -> None:
        if value == _OTHER:
            question = "Until when? 2h, 3d, 1w, 2027-01-31 or 2027-01-31T09:00"
            room.app.push_screen(TextPrompt(title, question, check=trouble), typed)
        elif value is not None:
            ask_why(None if value == _OPEN else int(value))

    room.app.push_screen(Dialog(clock, f"{title}: until when?", text, choices), chosen)
