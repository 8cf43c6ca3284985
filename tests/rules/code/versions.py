"""Print the versions of the labelled programs: run by any Python, it must print the same."""

from __future__ import annotations

import json

from benchmarks.judge.stale_changes import CHANGES, STAGES
from engine.rules.code.files import STAGE, reading_of
from engine.rules.code.fingerprint import version


def versions() -> dict[str, str]:
    """Return the version of each program's stage."""
    found = {}
    for program in sorted(CHANGES.glob("*.py")):
        if not program.stem.endswith("_deps"):
            beside = CHANGES / f"{program.stem}_deps.py"
            deps = beside.read_text(encoding="utf-8") if beside.exists() else None
            read = reading_of(program.read_text(encoding="utf-8"), deps)
            found[program.stem] = version(read, STAGE, STAGES.get(program.stem, "stage"))
    return found


if __name__ == "__main__":
    print(json.dumps(versions()))
