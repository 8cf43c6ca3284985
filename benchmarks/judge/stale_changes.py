"""Is a change of code judged rightly by the rules alone?

`changes/*.txt` hold labelled edits of the program of the same name: `== label: title`, then pairs of `-` and `+` lines
that are replaced, in the program or in its helpers (`_deps.py`). `changes/small.json` holds whole pairs of a few lines.
What is called `same` or `cosmetic` and is semantic is unsafe: its results would be kept although they differ. None may
be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.judge.judgement import Judgement
from engine.rules.code.files import compare_texts

CHANGES: Final = Path(__file__).parent / "changes"
STAGES: Final = {"articles": "summarise"}
"""Name of the stage's function, where it is not `stage`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One labelled edit."""

    program: str
    label: str
    title: str
    old: tuple[str, str | None]
    """Text of the stage and of its helpers."""
    new: tuple[str, str | None]

    @property
    def stage(self) -> str:
        """Name of the stage's function."""
        return STAGES.get(self.program, "stage")

    def verdict(self) -> str:
        """Return what the rules say."""
        return compare_texts(self.old, self.new, self.stage).verdict


def cases() -> Iterator[Case]:
    """Yield every labelled edit."""
    for file in sorted(CHANGES.glob("*.txt")):
        program = (CHANGES / f"{file.stem}.py").read_text(encoding="utf-8")
        beside = CHANGES / f"{file.stem}_deps.py"
        deps = beside.read_text(encoding="utf-8") if beside.exists() else None
        for section in file.read_text(encoding="utf-8").split("== ")[1:]:
            head, _, body = section.partition("\n")
            label, _, title = head.partition(": ")
            new = (program, deps)
            for was, becomes in _edits(body):
                new = _edited(new, was, becomes, title)
            yield Case(program=file.stem, label=label, title=title, old=(program, deps), new=new)
    for pair in json.loads((CHANGES / "small.json").read_text(encoding="utf-8")):
        yield Case(
            program="small",
            label=pair["label"],
            title=pair["title"],
            old=(pair["old"], pair.get("old_deps")),
            new=(pair["new"], pair.get("new_deps")),
        )


def judgements() -> Iterator[Judgement]:
    """Yield how many semantic changes are held, and how many of the others are settled."""
    answers = [(case.label, case.verdict()) for case in cases()]
    semantic = [answer for label, answer in answers if label == "semantic"]
    settled = [answer for label, answer in answers if label != "semantic"]
    yield Judgement(name="stale-semantic-held", n=len(semantic), right=semantic.count("semantic"))
    yield Judgement(name="stale-cosmetic-settled", n=len(settled), right=len(settled) - settled.count("semantic"))


def _edits(body: str) -> Iterator[tuple[str, str]]:
    was: list[str] = []
    becomes: list[str] = []
    for line in body.splitlines():
        if line.startswith("-") and becomes:
            yield "\n".join(was), "\n".join(becomes)
            was, becomes = [], []
        if line:
            (was if line[0] == "-" else becomes).append(line[1:])
    yield "\n".join(was), "\n".join(becomes)


def _edited(texts: tuple[str, str | None], was: str, becomes: str, title: str) -> tuple[str, str | None]:
    program, deps = texts
    if was in program:
        return program.replace(was, becomes), deps
    if deps is None or was not in deps:
        raise ValueError(f"{title}: the program has no such lines:\n{was}")
    return program, deps.replace(was, becomes)
