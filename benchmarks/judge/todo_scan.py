"""Does the scanner find what is to be done, and is it right where it says that it is sure?

`files/labels.json` gives the state of each line that is an item; every other line is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.judge.judgement import Judgement
from plugins.todos.items import OPEN_STATES
from plugins.todos.lines import scan_text

FILES: Final = Path(__file__).parent / "files"


def judgements() -> Iterator[Judgement]:
    """Yield recall, share of confident ones, and precision of confident ones; list items only."""
    labels: dict[str, dict[str, str]] = json.loads((FILES / "labels.json").read_text(encoding="utf-8"))
    wanted = found = sure = said = right = states = 0
    for name, states_by_line in labels.items():
        text = (FILES / name).read_text(encoding="utf-8")
        items = {item.line: item for item in scan_text(text) if item.kind not in ("heading", "paragraph")}
        expected = {int(line): state for line, state in states_by_line.items()}
        still_open = [line for line, state in expected.items() if state in OPEN_STATES]
        hits = [items[line] for line in still_open if line in items and items[line].is_open]
        confident = [item for item in items.values() if item.confidence != "low"]
        wanted += len(still_open)
        found += len(hits)
        sure += sum(item.confidence != "low" for item in hits)
        said += len(confident)
        right += sum(
            item.line in expected and item.is_open == (expected[item.line] in OPEN_STATES) for item in confident
        )
        states += sum(expected.get(item.line) == item.state for item in confident)
    yield Judgement(name="todo-scan-recall", n=wanted, right=found)
    yield Judgement(name="todo-scan-confident", n=wanted, right=sure)
    yield Judgement(name="todo-scan-precision", n=said, right=right)
    yield Judgement(name="todo-scan-state", n=said, right=states)
