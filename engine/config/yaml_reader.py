"""Read a YAML file that nobody has checked: bounded in size, depth and number of values, with the line of each value.

A small part of YAML is read: mappings with text as keys, lists, scalars. Anchors, aliases, tags, merge keys and second
documents are refused, because they make a file mean more than it shows. The tree is built from PyYAML's events, in
Python: its C loader crashes the process on deep nesting, and its constructor knows YAML 1.1 only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from engine.config.document import Document, Flaw, KeyPath, Unreadable, read_bytes
from engine.config.scalars import plain_scalar
from engine.kit.safe_text import safe_line

MAX_DEPTH: Final = 32
MAX_NODES: Final = 20_000
MAX_FLAWS: Final = 100
"""Reading stops after so many flaws; the first ones explain the rest."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def read_yaml(path: Path) -> Document:
    """Read and parse a file; Unreadable when it is no YAML that can be read to its end."""
    return parse_yaml(read_bytes(path))


def parse_yaml(raw: bytes) -> Document:
    """Parse UTF-8 text; Unreadable when it is no YAML that can be read to its end."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Unreadable([Flaw(path=(), line=line, message="is not UTF-8 text")]) from error
    builder = _Builder()
    try:
        value = builder.document(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise Unreadable([*builder.flaws, Flaw(path=(), line=line, message=message)]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = safe_line(", ".join(part for part in (error.context, error.problem) if part), 300)
        line_of = mark.line + 1 if mark is not None else None
        raise Unreadable([*builder.flaws, Flaw(path=(), line=line_of, message=f"is not YAML: {message}")]) from error
    except RecursionError as error:
        raise Unreadable([Flaw(path=(), line=None, message=f"is nested deeper than {MAX_DEPTH} levels")]) from error
    return Document(value=value, lines=builder.lines, flaws=tuple(builder.flaws))


class _Builder:
    """Builds values from parser events and notes lines and flaws on the way."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.flaws: list[Flaw] = []
        self._nodes = 0

    def document(self, events: Iterator[Any]) -> Any:
        """Return the value of the first and only document; None for an empty file."""
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._flaw((), event, "starts a second document (`---`); one file is one document")
                    break
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, events, ())
        return value

    def _value(self, event: Any, events: Iterator[Any], path: KeyPath) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(path, event, f"holds more than {MAX_NODES:,} values")
        if isinstance(event, yaml.AliasEvent):
            self._flaw(path, event, f"`*{safe_line(event.anchor or '', 40)}` is an alias; write the value out")
            return None
        if event.anchor is not None:
            self._flaw(
                path, event, f"`&{safe_line(event.anchor, 40)}` is an anchor; write the value out where it is used"
            )
        if event.tag is not None:
            self._flaw(path, event, f"`{safe_line(event.tag, 60)}` is a tag; tags are not read here")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if len(path) >= MAX_DEPTH:
            self._stop(path, event, f"is nested deeper than {MAX_DEPTH} levels")
        return self._mapping(events, path) if isinstance(event, yaml.MappingStartEvent) else self._list(events, path)

    def _scalar(self, event: Any, path: KeyPath) -> Any:
        if _SURROGATE.search(event.value):
            self._flaw(path, event, "holds half of a surrogate pair, which is no character")
        if event.style:  # quoted, or a block: always text
            return event.value
        try:
            return plain_scalar(event.value)
        except ValueError as error:
            self._flaw(path, event, safe_line(str(error), 300))
            return event.value

    def _list(self, events: Iterator[Any], path: KeyPath) -> list[Any]:
        values: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            inner = (*path, len(values))
            self.lines[inner] = event.start_mark.line + 1
            values.append(self._value(event, events, inner))
        return values

    def _mapping(self, events: Iterator[Any], path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, events, path)
            inner = (*path, key)
            line = event.start_mark.line + 1
            if key in values:
                self._flaw(inner, event, f"stands here twice; first in line {self.lines[inner]}")
            else:
                self.lines[inner] = line
            value = self._value(next(events), events, inner)
            values.setdefault(key, value)
        return values

    def _key(self, event: Any, events: Iterator[Any], path: KeyPath) -> str:
        if isinstance(event, yaml.ScalarEvent):
            if event.value == "<<" and not event.style:
                self._flaw(path, event, "`<<` merges mappings; write the keys out")
            elif not event.value or _SURROGATE.search(event.value):
                self._flaw(path, event, "has a key that is empty or no text")
            elif event.anchor is not None or event.tag is not None:
                self._flaw(path, event, "has a key with an anchor or a tag")
            self._nodes += 1
            return str(event.value)
        self._flaw(path, event, "has a key that is not text")
        if not isinstance(event, yaml.AliasEvent):
            self._value(event, events, (*path, ""))
        return ""

    def _flaw(self, path: KeyPath, event: Any, message: str) -> None:
        self.flaws.append(Flaw(path=path, line=event.start_mark.line + 1, message=message))
        if len(self.flaws) >= MAX_FLAWS:
            raise Unreadable(self.flaws)

    def _stop(self, path: KeyPath, event: Any, message: str) -> None:
        raise Unreadable([*self.flaws, Flaw(path=path[:4], line=event.start_mark.line + 1, message=message)])
