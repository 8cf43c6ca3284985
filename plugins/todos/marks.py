"""What a single text says of itself: its box, its state mark, its priority, its tags.

Sources: GitHub's task lists for `[ ]` and `[x]`; the further boxes are those that Obsidian's and Taskwarrior-like
formats use; `(A)` is todo.txt's priority; the arrows are the Obsidian Tasks plugin's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engine.contracts.item import Priority
from plugins.todos.items import TodoState

_BOX: Final = re.compile(
    r"\\?\[[ \u00a0]{0,3}(?P<mark>[xX/~?>!*.oOvV✓✔√✅☑❌✗✘\-]?)[ \u00a0]{0,3}\\?\](?P<gap>[ \t\u00a0\n]*)(?P<rest>.*)",
    re.S,
)
_BOX_STATES: Final[dict[str, TodoState]] = {
    **dict.fromkeys("xX✓✔√✅☑vV", "done"),
    **dict.fromkeys("/-~*.oO", "partial"),
    **dict.fromkeys("❌✗✘", "dropped"),
    ">": "paused",
}

_MARK_STATES: Final[dict[str, TodoState]] = {
    **dict.fromkeys("✅☑✔✓", "done"),
    **dict.fromkeys("🅿⏸⏳", "paused"),
    **dict.fromkeys("🚧", "partial"),
    **dict.fromkeys("❌×✗✘", "dropped"),
    **dict.fromkeys("☐⬜🔲", "open"),
}
_SHORT: Final = {
    **dict.fromkeys((":white_check_mark:", ":heavy_check_mark:", ":ballot_box_with_check:"), "✅"),
    **dict.fromkeys((":x:", ":heavy_multiplication_x:", ":negative_squared_cross_mark:"), "❌"),
    ":construction:": "🚧",
    ":hourglass_flowing_sand:": "⏳",
    ":white_large_square:": "⬜",
}
"""How GitHub lets the same marks be written."""
_SHORT_ANY: Final = re.compile("|".join(map(re.escape, _SHORT)))
_MARK: Final = "[" + "".join(_MARK_STATES) + "]\ufe0f?"
_MARK_FIRST: Final = re.compile(rf"^[\s*_]*({_MARK})[\s:*_\-–—]*")
_MARK_LAST: Final = re.compile(rf"[\s:*_\-–—]*({_MARK})[\s*_.]*$")

_WORD_STATES: Final[dict[str, TodoState]] = {
    **dict.fromkeys(("done", "complete", "completed", "finished", "fixed", "implemented"), "done"),
    **dict.fromkeys(("todo", "open"), "open"),
    **dict.fromkeys(("wip", "in progress", "in-progress", "partial", "started"), "partial"),
    **dict.fromkeys(("paused", "deferred", "on hold", "blocked"), "paused"),
    **dict.fromkeys(("dropped", "cancelled", "canceled", "wontfix", "won't do", "won't fix", "obsolete"), "dropped"),
}
_WORDS: Final = "|".join(re.escape(word) for word in _WORD_STATES)
_TAG_FIRST: Final = re.compile(rf"^\**[\[(]({_WORDS})[\])]\**[\s:\-–—]*", re.I)
_TAG_LAST: Final = re.compile(rf"[\s:*_\-–—]*[\[(]({_WORDS})[\])][\s*_.]*$", re.I)
_WORD_FIRST: Final = re.compile(r"^\**(TODO|DONE|WIP|FIXED|CANCELLED|DROPPED)\b[:\s*\-–—]+(?=\S)")

_STRUCK: Final = re.compile(
    r"^[*_]*~~(?P<inner>[^~]+)~~[*_]*"
    r"(?P<rest>[\s.]*|\s*[(\-–—→:✅☑✔✓❌][^~]{0,60}|\s*(?:done|closed|fixed|shipped)\b[^~]{0,40})$",
    re.S | re.I,
)
"""Struck out whole, but for a short remark after it."""
_STRUCK_DONE: Final = re.compile(
    r"[✅☑✔✓]|\b(?:done|closed|fixed|completed?|finished|shipped|implemented)\b|完成", re.I
)
_BOLD: Final = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.S)

_PRIORITY_CODE: Final = re.compile(r"(?:^|[\s(\[*#:])P([0-3])(?=$|[\s)\]*:,.\-–—])")
_PRIORITY_WORD: Final = re.compile(
    r"!(critical|urgent|highest|high|medium|normal|low|lowest)\b"
    r"|\bprio(?:rity)?\s*[:=]\s*(critical|urgent|highest|high|medium|normal|low|lowest)\b"
    r"|[\[(](critical|urgent|highest|high|medium|low|lowest)(?:[ -]prio(?:rity)?)?[\])]",
    re.I,
)
_PRIORITY_LETTER: Final = re.compile(r"^\(([A-D])\)\s")
_PRIORITY_ARROW: Final = re.compile("[🔺⏫🔼🔽⏬]")
_ARROWS: Final[dict[str, Priority]] = {"🔺": 0, "⏫": 1, "🔼": 2, "🔽": 3, "⏬": 3}
_LEVELS: Final[dict[str, Priority]] = {
    **dict.fromkeys(("critical", "urgent", "highest"), 0),
    "high": 1,
    **dict.fromkeys(("medium", "normal"), 2),
    **dict.fromkeys(("low", "lowest"), 3),
}
_CODES: Final[tuple[Priority, ...]] = (0, 1, 2, 3)
_HEADING_PRIORITY: Final[tuple[tuple[re.Pattern[str], Priority], ...]] = (
    (re.compile(r"\b(critical|urgent|blockers?|asap|kritisch|dringend|urgente?)\b|критич|срочн|紧急|緊急", re.I), 0),
    (re.compile(r"\b(high(est)?|top)[ -]*(prio|impact)|\bprio\w*\W*(high|1\b)|con priorità|haute? priorit"
                r"|priorité haute"
                r"|alta prioridad|prioridad alta|prioridade alta|hohe priorit|высок\w* приоритет|高优先|高優先"
                r"|优先级.?高", re.I), 1),
    (re.compile(r"\b(medium|normal)[ -]*(prio|impact)|\bprio\w*\W*(medium|normal|2\b)|prioridade? m[eé]di?a"
                r"|priorité moyenne"
                r"|mittlere priorit|средн\w* приоритет|中优先|中優先|优先级.?中", re.I), 2),
    (re.compile(r"\blow(est)?[ -]*(prio|impact)|\bprio\w*\W*(low|3\b)|baja prioridad|prioridade? baix?j?a"
                r"|priorité basse"
                r"|niedrige priorit|низк\w* приоритет|低优先|低優先|优先级.?低", re.I), 3),
)  # fmt: skip

_TAG: Final = re.compile(r"(?:^|(?<=\s))([#@][^\W\d_][\w/\-]{1,40})(?=$|[\s,.;:)])")
_CODE_SPAN: Final = re.compile(r"`[^`]*`")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A text without its marks, and what they said."""

    text: str
    box: bool
    """A box says so, which is as sure as it gets."""
    state: TodoState | None
    """None when nothing is said."""


def read_box(text: str) -> tuple[TodoState, str] | None:
    """Return the state of a leading box and the text after it; None without a box."""
    text = text.lstrip().removeprefix("**").removeprefix("~~").lstrip()
    match = _BOX.match(text)
    if match is None:
        return None
    mark, rest = match["mark"].strip(), match["rest"]
    if rest and not match["gap"] and (rest[0] in "([:" or mark not in ("", "x", "X")):
        return None  # a link, or a word in brackets
    if rest.count("**") % 2:
        rest = rest.replace("**", "", 1)
    return _BOX_STATES.get(mark, "open"), rest.strip()


def read_marks(text: str) -> Reading:
    """Take box, state marks, strikes and bold off a text."""
    text = _SHORT_ANY.sub(lambda match: _SHORT[match[0]], text)
    boxed = read_box(text)
    state, rest = boxed if boxed else (None, text.strip())
    struck = _STRUCK.match(rest) or _STRUCK.match(text.strip())
    if struck is None:
        rest, marked = _take_marks(rest)
        if boxed is None or (state == "open" and marked not in (None, "done")):
            state = marked
        struck = _STRUCK.match(rest)
    if struck is not None:
        inner = read_box(struck["inner"])
        rest = inner[1] if inner else struck["inner"]
        state = "done" if state == "done" or _STRUCK_DONE.search(struck["rest"]) else "dropped"
    return Reading(text=plain(rest), box=boxed is not None, state=state)


def _take_marks(text: str) -> tuple[str, TodoState | None]:
    state: TodoState | None = None
    for pattern, states in (
        (_MARK_FIRST, _MARK_STATES),
        (_MARK_LAST, _MARK_STATES),
        (_TAG_FIRST, _WORD_STATES),
        (_TAG_LAST, _WORD_STATES),
        (_WORD_FIRST, _WORD_STATES),
    ):
        match = pattern.search(text)
        if match is None:
            continue
        word = match[1].removesuffix("\ufe0f").lower()
        state = state or states.get(word, "dropped")
        rest = text[: match.start()] + text[match.end() :]
        text = rest.replace("**", "") if rest.count("**") % 2 else rest
    return text.strip(), state


def plain(text: str) -> str:
    """Drop the signs of bold text and join lines."""
    return " ".join(_BOLD.sub(r"\2", text).split())


def read_priority(text: str) -> Priority | None:
    """Return the priority that a text gives itself, or None."""
    text = _CODE_SPAN.sub(" ", text)
    if code := _PRIORITY_CODE.search(text):
        return _CODES[int(code[1])]
    if word := _PRIORITY_WORD.search(text):
        return _LEVELS[next(group for group in word.groups() if group).lower()]
    if letter := _PRIORITY_LETTER.match(text):
        return _CODES["ABCD".index(letter[1])]
    if arrow := _PRIORITY_ARROW.search(text):
        return _ARROWS[arrow[0]]
    return None


def heading_priority(text: str) -> Priority | None:
    """Return the priority that a heading gives to what stands below it, or None."""
    given = read_priority(text)
    if given is not None:
        return given
    return next((level for pattern, level in _HEADING_PRIORITY if pattern.search(text)), None)


def read_tags(text: str) -> tuple[str, ...]:
    """Return `#tag` and `@name` words in order, each once."""
    return tuple(dict.fromkeys(_TAG.findall(_CODE_SPAN.sub(" ", text))))
