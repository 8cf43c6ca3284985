"""Printing: one JSON object a line for programs, aligned columns for people. Text from outside is cleaned."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import click

from engine.contracts.commands import CommandOutcome
from engine.contracts.view import ItemView
from engine.kit.safe_text import safe_block, safe_line

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")


_NOT_PLAIN: Final = re.compile(r"[^\x20-\x7e]")


def print_json(value: Any) -> None:
    """Print one object on one line; characters that a terminal obeys, or a person does not see, are escaped."""
    text = json.dumps(plain(value), ensure_ascii=not _is_utf8())
    click.echo(_NOT_PLAIN.sub(lambda match: _visible(match[0]), text))


@lru_cache(maxsize=4096)
def _visible(char: str) -> str:
    """Return a character as it is when it is harmless, else as JSON escapes it: the value stays the same."""
    if safe_block(char) == char:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2]):04x}" for at in range(0, len(units), 2))


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def plain(value: Any) -> Any:
    """Values as what JSON and YAML know: dataclasses and mappings as dicts, sequences as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; on a terminal the last one is cut at its width."""
    cells = [[safe_line("" if cell is None else str(cell), 300) for cell in row] for row in rows]
    if not cells:
        return
    from rich.cells import cell_len, set_cell_size

    widths = [max(cell_len(row[at]) for row in [list(head), *cells]) for at in range(len(head))]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for row in [list(head), *cells]:
        line = "  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(line if room is None or cell_len(line) <= room else set_cell_size(line, room - 1) + "…")


def item_object(item: ItemView) -> dict[str, Any]:
    """An item as JSON; the same in every listing."""
    return {
        "key": item.key,
        "job": item.job,
        "state": item.state,
        "stage": item.stage,
        "stage_state": item.stage_state,
        "priority": item.priority,
        "title": item.title,
        "path": item.path,
        "line": item.line,
        "headings": item.headings,
        "confidence": item.confidence,
        "origin": item.origin,
        "source": item.source,
        "attempts": item.attempts,
        "why": item.why,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "due_at": item.due_at,
        "data": item.data,
    }


def item_row(item: ItemView) -> tuple[object, ...]:
    """An item as a row for people."""
    place = f"{item.path}:{item.line}" if item.path and item.line else item.path or ""
    state = f"{item.state} ({item.stage})" if item.stage and item.state != "done" else item.state
    priority = "" if item.priority is None else f"P{item.priority}"
    told = ": ".join(part for part in (put_off(item), item.why) if part)
    return item.key, item.job, state, priority, place, f"{item.title}  [{told}]" if told else item.title


def put_off(item: ItemView) -> str:
    """Until when an item is put off; empty when it is not."""
    return f"until {local_time(item.due_at)}" if item.state == "snoozed" else ""


ITEM_HEAD = ("KEY", "JOB", "STATE", "PRI", "PLACE", "TITLE")


def tell(outcome: CommandOutcome, as_json: bool) -> int:
    """Print what a command did; returns the exit code."""
    if as_json:
        print_json(outcome)
    else:
        click.echo(safe_line(outcome.message), err=not outcome.ok)
        for key, why in list(outcome.skipped.items())[:20]:
            if len(outcome.skipped) > 1:
                click.echo(f"  {safe_line(key, 80)}: {safe_line(why)}", err=True)
    return 0 if outcome.ok else 1


def local_time(ms: int | None) -> str:
    """A time as people write it, in the machine's time zone."""
    return "" if ms is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000))
