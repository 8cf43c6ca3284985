"""One action, and how its keys are written for people."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from typing import Final

from engine.contracts.commands import COMMANDS
from engine.contracts.values import dataclass
from rivus_tui import possible
from rivus_tui.possible import Situation

KEY_NAMES: Final = {
    "slash": "/", "comma": ",", "space": "Space", "plus": "+", "equals_sign": "=", "minus": "-", "enter": "Enter",
    "escape": "Esc", "question_mark": "?", "left_square_bracket": "[", "right_square_bracket": "]", "pagedown": "PgDn",
    "pageup": "PgUp", "backspace": "Bksp", "home": "Home", "end": "End", "down": "Down", "up": "Up", "left": "Left",
    "right": "Right", "tab": "Tab", "shift+tab": "S-Tab", "f1": "F1", "ampersand": "&", "colon": ":", "at": "@",
    "exclamation_mark": "!", "full_stop": ".", "semicolon": ";", "less_than_sign": "<", "greater_than_sign": ">",
    "number_sign": "#", "asterisk": "*", "apostrophe": "'", "quotation_mark": '"', "underscore": "_", "tilde": "~",
}  # fmt: skip
"""How keys are written for people, where Textual's name is not that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One thing that a key does."""

    id: str
    """The name of the screens' method, without its `do_`; keymap files name it."""
    keys: tuple[str, ...]
    """As Textual names them; none: only in the palette and in help."""
    label: str
    """One or two words, for the footer."""
    help: str
    meaning: str = ""
    """What its keys mean on every screen; empty: what the id says."""
    level: int = 0
    """0 look, 1 reversible, 2 costs money or loses work, 3 the whole engine or filter."""
    command: str | None = None
    """The engine's command, as `engine.contracts.commands` names it."""
    cli: str = ""
    """The same on the command line; `JOB` and `KEY…` stand for what is chosen."""
    footer_key: str = ""
    """How the footer writes its key, where that is not its first one."""
    why_not: Callable[[Situation], str] = possible.always
    """Return why it cannot be done now; an empty string when it can."""
    on_marks: bool = False
    """Whether it acts on all marked rows."""
    goes_to: str | None = None
    """The screen it opens."""
    moves: bool = False
    """Whether it only moves about: help lists it last, the palette leaves it out."""

    def reason(self, now: Situation) -> str:
        """Return why it cannot be done now: nothing may be changed here, else what the screen or the registry says."""
        if self.level and now.read_only:
            return now.read_only
        return now.refusals.get(self.id) or self.why_not(now)

    @property
    def sense(self) -> str:
        """What its keys mean on every screen."""
        return self.meaning or self.id

    @property
    def can_undo(self) -> bool:
        """Whether `u` takes it back."""
        return self.command is not None and COMMANDS[self.command].undo

    def twin(self, now: Situation) -> str:
        """Return the command line that does the same to what is chosen now."""
        if not self.cli:
            return ""
        if "KEY…" not in self.cli:
            job = now.job.name if now.job is not None else now.items[0].job if now.items else ""
            return self.cli.replace("JOB", shlex.quote(job)) if job else self.cli
        by_job: dict[str, list[str]] = {}
        for item in now.items:
            by_job.setdefault(item.job, []).append(shlex.quote(item.key))
        lines = [
            self.cli.replace("JOB", shlex.quote(job)).replace("KEY…", " ".join(keys)) for job, keys in by_job.items()
        ]
        return " && ".join(lines) or self.cli


def key_name(key: str) -> str:
    """Return a key as a person writes it."""
    return KEY_NAMES.get(key, key)


def key_names(keys: Iterable[str]) -> str:
    """Return keys as a person writes them, such as `j Down`."""
    return " ".join(key_name(key) for key in keys)
