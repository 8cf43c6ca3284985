"""Do the doctor's rules find the cause of an error?

Labels say what would make the next attempt pass, and were made before the rules' answer was looked at. Rules were
written with `written_with.jsonl`; `only_scored.jsonl` is only ever scored: no rule was changed for what it shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.judge.judgement import Judgement
from engine.contracts.verdict import Failure
from engine.rules.verdicts.sort import decide

ERRORS: Final = Path(__file__).parent / "errors"
HALVES: Final = {"written-with": "written_with.jsonl", "only-scored": "only_scored.jsonl"}


def judgements() -> Iterator[Judgement]:
    """Yield, for each half, how many of the classified are right, and how many are classified."""
    for half, file in HALVES.items():
        rows = [json.loads(line) for line in (ERRORS / file).read_text(encoding="utf-8").splitlines()]
        told = [(row["class"], decide(failure(row)).cls) for row in rows]
        classified = [(wanted, said) for wanted, said in told if said != "unknown"]
        right = sum(wanted == said for wanted, said in classified)
        yield Judgement(name=f"doctor-{half}-right", n=len(classified), right=right)
        yield Judgement(name=f"doctor-{half}-classified", n=len(told), right=len(classified))


def failure(row: dict[str, str]) -> Failure:
    """The failure of one labelled row."""
    return Failure(exc_type=row["exc_type"], message=row["message"], traceback_tail=row.get("traceback_tail", ""))
