"""Items without a box: what is a group, what is a note, and how sure the rest is."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

from engine.contracts.item import Confidence
from plugins.todos.marks import Reading
from plugins.todos.outline import Bullet, Heading
from plugins.todos.sections import is_field, is_notes, is_notes_lead, is_tasks, section_state
from plugins.todos.wording import asks_for_something, count_words, starts_with_verb

_LINK_ONLY: Final = re.compile(r"^\W*(?:<?https?://\S+>?|!?\[[^\]]*\]\([^)]*\))\W*$")
_NONE: Final = re.compile(
    r"\W*(?:none(?: yet| so far| at the moment)?|nothing(?: yet| here)?|n/?a|tb[da]|empty"
    r"|keine?s?|aucune?|ningun[oa]|nenhum|нет|无|暂无|なし)?\W*",
    re.I,
)
"""An empty list, said in words."""
_PATH_ONLY: Final = re.compile(
    r"^(?:[\w][\w \-]{0,30}:\s*)?(?:`[^`]+`[\s,;→\->]*)+(?:\([^()]*\))?$|^[\w.\-]*/[\w./\-]+$|^[\w\-]+\.[a-z]{1,4}$"
)
_GROUP_WORDS: Final = (2, 5, 8)
"""A bare parent of one, two, more items that has at most so many words and no verb in front names a group."""
_SHARE: Final = 0.4
"""So many of a list's items must read like tasks for all of them to count as tasks."""
_VERB_SHARE: Final = 0.5
"""So many must start with a verb where other lists are plainly tasks and nothing says so of this one."""


def is_group(bullet: Bullet, readings: dict[Bullet, Reading]) -> bool:
    """A bare item that only names what is nested below it."""
    if readings[bullet].state is not None:
        return False
    tasks = [child for child in bullet.children if readings[child].box or not _is_record(readings[child].text)]
    if not tasks:
        name = readings[bullet].text
        return bool(bullet.children) and name.endswith(":") and count_words(name) <= 3 and not starts_with_verb(name)
    if any(readings[child].box for child in tasks) or all(readings[child].state for child in tasks):
        return True
    text = readings[bullet].text
    longest = _GROUP_WORDS[min(len(tasks), len(_GROUP_WORDS)) - 1]
    return count_words(text) <= longest and not starts_with_verb(text)


def is_note(bullet: Bullet, reading: Reading) -> bool:
    """A quote, a record's field, a link or path alone, or an item of a section or list that tells instead of asking."""
    if bullet.quoted or _is_record(reading.text):
        return True
    if any(is_notes_lead(holder.lead) for holder in (bullet, *bullet.ancestors())):
        return True
    return bool(bullet.section and is_notes_section(bullet.section))


def _is_record(text: str) -> bool:
    """A field, a link, a path, or that there is nothing, and nothing else."""
    return is_field(text) or bool(_LINK_ONLY.match(text) or _PATH_ONLY.match(text) or _NONE.fullmatch(text))


def _asks(heading: str) -> bool:
    return is_tasks(heading) or section_state(heading) == "paused"


def is_notes_section(section: Heading) -> bool:
    """Whether the nearest heading that says anything says that what follows is told, not asked for."""
    for heading in reversed(section.path()):
        if is_notes(heading.text):
            return True
        if is_tasks(heading.text):
            return False
    return False


def bare_confidence(
    bullets: tuple[Bullet, ...], readings: dict[Bullet, Reading], headings: tuple[Heading, ...]
) -> dict[Bullet, Confidence]:
    """Say for each bare item how sure it is that it is a task, judged by whole lists."""
    boxes = any(reading.box for reading in readings.values())
    # Where some of the lists are plainly tasks, the others have to show that they are, too.
    told_apart = boxes or any(_asks(heading.text) for heading in headings[1:])
    lists: dict[int, list[Bullet]] = defaultdict(list)
    for bullet in bullets:
        lists[bullet.list_id].append(bullet)
    sure: dict[Bullet, Confidence] = {}
    for members in lists.values():
        texts = [readings[member].text for member in members]
        section, lead = members[0].section, members[0].lead
        titled = bool(section and _asks(section.text) and (section.level > 1 or not boxes)) or _asks(lead)
        if told_apart and not titled and not any(readings[member].box for member in members):
            above = any(_asks(heading.text) for heading in (section.path() if section else ()))
            whole = (above or not boxes) and sum(map(starts_with_verb, texts)) / len(texts) >= _VERB_SHARE
            own = False
        else:
            whole = titled or not headings or sum(map(asks_for_something, texts)) / len(texts) >= _SHARE
            own = True
        for member, text in zip(members, texts, strict=True):
            sure[member] = "medium" if whole or (own and asks_for_something(text)) else "low"
    return sure
