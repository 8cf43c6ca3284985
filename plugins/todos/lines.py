"""Which list items and headings of a Markdown text are TODOs, in which state, and how sure that is.

Layered rules, the surest first: a box or a state mark decides by itself; what stands below an item with a box is its
detail; records, legends and links are not tasks; a bare bullet is an item when its section, its list or its wording
says so, and a `low` one when only its place in a TODO file does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.contracts.item import Confidence, Priority
from engine.kit.safe_text import safe_line
from plugins.todos.bare import bare_confidence, is_group, is_note
from plugins.todos.items import TodoItem, TodoKind, TodoState
from plugins.todos.marks import Reading, heading_priority, plain, read_box, read_marks, read_priority, read_tags
from plugins.todos.outline import LONGEST, Bullet, Heading, Outline, Paragraph, read_outline
from plugins.todos.sections import is_section_name, section_state
from plugins.todos.wording import LEGEND_WORDS, starts_with_verb

_TAG: Final = re.compile(r"\W{0,4}(?:TODO|FIXME)(?:\([^)\n]{1,40}\))?\W{0,2}:\W{0,3}(?=\w)")
"""A paragraph that says of itself that it is one."""
_NEARLY: Final = re.compile(r"^\s*[-*+\u2010-\u2015•◦‣][ \t\u00a0]*")
"""What stands before a box where a bullet was meant: `-[ ] text` and `• [ ] text` are no list to Markdown."""


def scan_text(text: str, *, file: str = "", paragraphs: bool = False, headings: bool = False) -> list[TodoItem]:
    """Return the items of one Markdown text in document order; any text is valid.

    `paragraphs` takes every paragraph outside lists for an item too, as some files are written, with low confidence;
    `headings` every innermost heading, with what stands below it as its detail.
    """
    return list(_Scan(read_outline(text), file, paragraphs, headings).items())


@dataclass(frozen=True, slots=True)
class _Scan:
    outline: Outline
    file: str
    paragraphs: bool
    headings: bool

    def items(self) -> Iterator[TodoItem]:
        strays = [stray for bullet in self.outline.bullets for stray in _strays(bullet)]
        readings = {bullet: read_marks(bullet.text) for bullet in self.outline.bullets}
        legend = legend_bullets(self.outline.bullets, readings)
        heading_items = dict(self._heading_items())
        found: list[TodoItem] = [self._heading(heading, reading) for heading, reading in heading_items.items()]
        taken: dict[Bullet, bool] = {}
        bare = bare_confidence(self.outline.bullets, readings, self.outline.headings)
        for bullet in self.outline.bullets:
            if bullet in legend:
                continue
            confidence = self._confidence(bullet, readings, heading_items, taken, bare)
            if confidence is not None:
                taken[bullet] = True
                found.append(self._bullet(bullet, readings[bullet], confidence))
        found += self._paragraph_items()
        for stray in strays:
            found += self._paragraph(stray, stray.text, stray.line, None, "medium")
        found.sort(key=lambda item: item.line)
        yield from found

    def _confidence(
        self,
        bullet: Bullet,
        readings: dict[Bullet, Reading],
        heading_items: dict[Heading, Reading],
        taken: dict[Bullet, bool],
        bare: dict[Bullet, Confidence],
    ) -> Confidence | None:
        reading = readings[bullet]
        if not reading.text:
            return None
        if reading.box:
            return "high"
        if is_detail(bullet, readings, heading_items):
            return None
        if bullet.section is not None and any(heading in heading_items for heading in bullet.section.path()):
            return "low"
        if is_group(bullet, readings) or is_note(bullet, reading):
            return None
        if any(above in taken for above in bullet.ancestors()):
            if reading.state is None:
                return "low" if starts_with_verb(reading.text) else None
            return "medium"
        if reading.state is not None:
            return "medium" if reading.state != "done" or bare.get(bullet) == "medium" else "low"
        return bare.get(bullet, "low")

    def _bullet(self, bullet: Bullet, reading: Reading, confidence: Confidence) -> TodoItem:
        kind: TodoKind = "checkbox" if reading.box else "ordered" if bullet.ordered else "bullet"
        state = reading.state or (None if reading.box else state_from_above(bullet)) or "open"
        return self._item(
            line=bullet.line,
            end_line=bullet.end_line,
            text=reading.text,
            raw=bullet.text,
            state=state,
            kind=kind,
            parent=bullet.parent,
            section=bullet.section,
            lead="" if bullet.parent else bullet.lead,
            confidence=confidence,
        )

    def _heading(self, heading: Heading, reading: Reading) -> TodoItem:
        return self._item(
            line=heading.line,
            end_line=heading.end_line,
            text=reading.text,
            raw=heading.text,
            state=reading.state or _state_of_sections(heading.parent) or "open",
            kind="heading",
            parent=None,
            section=heading.parent,
            lead="",
            confidence="high" if reading.box else "medium",
        )

    def _heading_items(self) -> Iterator[tuple[Heading, Reading]]:
        """Headings with a box; with a mark, only where several of a level have one; none that only names a section."""
        readings = [(heading, read_marks(heading.text)) for heading in self.outline.headings]
        marked = Counter(heading.level for heading, reading in readings if reading.state and not reading.box)
        titles = sum(heading.level == 1 for heading, _ in readings)
        holders = {heading.parent for heading, _ in readings}
        for heading, reading in readings:
            if not reading.text:
                continue
            if reading.box or (
                reading.state and heading.level > 1 and marked[heading.level] > 1 and not is_section_name(reading.text)
            ):
                yield heading, reading
                continue
            is_inner = heading not in holders and (heading.level > 1 or titles > 1)
            is_name = is_section_name(reading.text) and not starts_with_verb(reading.text)
            if self.headings and is_inner and not is_name:
                yield heading, reading

    def _paragraph_items(self) -> Iterator[TodoItem]:
        """Lines with a box, paragraphs that begin with `TODO:`, and every paragraph where that was asked for."""
        for paragraph in self.outline.paragraphs:
            if paragraph.quoted:
                continue
            lines = [_NEARLY.sub("", line[:LONGEST]) for line in paragraph.text.split("\n")]
            boxed = [offset for offset, line in enumerate(lines) if read_box(line)]
            for offset in boxed:
                yield from self._paragraph(paragraph, lines[offset], paragraph.line + offset, None, "medium")
            if not boxed and (tag := _TAG.match(paragraph.text)):
                text = paragraph.text[tag.end() : LONGEST]
                yield from self._paragraph(paragraph, text, paragraph.line, paragraph.end_line, "medium")
            elif self.paragraphs and not boxed:
                yield from self._paragraph(
                    paragraph, paragraph.text[:LONGEST], paragraph.line, paragraph.end_line, "low"
                )

    def _paragraph(
        self, paragraph: Paragraph, text: str, line: int, end_line: int | None, confidence: Confidence
    ) -> Iterator[TodoItem]:
        reading = read_marks(text)
        if reading.text:
            yield self._item(
                line=line,
                end_line=end_line or line,
                text=reading.text,
                raw=text,
                state=reading.state or "open",
                kind="paragraph",
                parent=None,
                section=paragraph.section,
                lead="",
                confidence=confidence,
            )

    def _item(
        self,
        *,
        line: int,
        end_line: int,
        text: str,
        raw: str,
        state: TodoState,
        kind: TodoKind,
        parent: Bullet | None,
        section: Heading | None,
        lead: str,
        confidence: Confidence,
    ) -> TodoItem:
        path = section.path() if section else ()
        return TodoItem(
            file=self.file,
            line=line,
            end_line=end_line,
            text=safe_line(text),
            state=state,
            kind=kind,
            parent_line=parent.line if parent else None,
            parent=safe_line(read_marks(parent.text).text) if parent else "",
            headings=tuple(safe_line(read_marks(heading.text).text, 200) for heading in path),
            priority=priority_of(raw, lead, path),
            confidence=confidence,
            raw=safe_line(raw, 4_000),
            tags=tuple(safe_line(tag, 60) for tag in read_tags(raw)[:20]),
        )


def _strays(bullet: Bullet) -> list[Paragraph]:
    """Take the lines with a box of their own out of a bullet's text; Markdown takes them for its further lines."""
    first, *more = bullet.text.split("\n")
    lines = [(bullet.line + n, _NEARLY.sub("", line)) for n, line in enumerate(more, start=1)]
    at = next((n for n, (_, line) in enumerate(lines) if read_box(line)), len(lines))
    bullet.text = "\n".join((first, *more[:at]))
    found: list[Paragraph] = []
    for number, line in lines[at:]:
        if read_box(line):
            found.append(Paragraph(number, number, line, bullet.section, bullet.quoted))
        else:
            found[-1].text += f"\n{line}"
    return found


def priority_of(raw: str, lead: str, path: tuple[Heading, ...]) -> Priority | None:
    """Return the priority that the text, the line before its list, or the nearest heading gives."""
    boxed = read_box(raw)
    given = read_priority(plain(boxed[1] if boxed else raw))
    if given is None and len(lead) <= 60:
        given = heading_priority(lead)
    for heading in reversed(path):
        if given is not None:
            break
        given = heading_priority(heading.text)
    return given


def state_from_above(bullet: Bullet) -> TodoState | None:
    """Return the state that a lead-in line, a marked group or the nearest telling heading gives to a bare item."""
    for holder in (bullet, *bullet.ancestors()):
        lead = holder.lead
        if lead and len(lead) <= 60 and (state := section_state(lead)):
            return state
    for above in bullet.ancestors():
        state = read_marks(above.text).state or (section_state(above.text) if len(above.text) <= 30 else None)
        if state:
            return state
    return _state_of_sections(bullet.section)


def _state_of_sections(section: Heading | None) -> TodoState | None:
    """Return the state that the nearest telling heading gives."""
    for heading in reversed(section.path() if section else ()):
        state = section_state(heading.text)
        if state:
            return state
    return None


def is_detail(bullet: Bullet, readings: dict[Bullet, Reading], heading_items: dict[Heading, Reading]) -> bool:
    """A bare item below an item with a box, or below a heading that is an item itself."""
    if readings[bullet].state is not None:
        return any(readings[above].box for above in bullet.ancestors())
    if any(readings[above].box for above in bullet.ancestors()):
        return True
    if bullet.section is None:
        return False
    holders = [heading_items[heading] for heading in bullet.section.path() if heading in heading_items]
    return any(holder.box or holder.state not in ("open", "partial", "paused") for holder in holders)


def legend_bullets(bullets: tuple[Bullet, ...], readings: dict[Bullet, Reading]) -> set[Bullet]:
    """The list at the top that explains the boxes: two or more items, each another box, each a short word of state."""
    if not bullets:
        return set()
    first = [bullet for bullet in bullets if bullet.list_id == bullets[0].list_id]
    boxes = {bullet.text.strip()[:4] for bullet in first if readings[bullet].box or readings[bullet].state}
    explains = all(
        readings[bullet].state and LEGEND_WORDS & set(readings[bullet].text.lower().replace(":", " ").split())
        for bullet in first
    )
    short = all(len(readings[bullet].text.split()) <= 8 for bullet in first)
    return set(first) if len(first) >= 2 and len(boxes) == len(first) and explains and short else set()
