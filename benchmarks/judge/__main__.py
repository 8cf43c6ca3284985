"""Print every judgement as a line of JSON."""

from __future__ import annotations

import json
from typing import Final

from benchmarks.judge import doctor_errors, failure_shapes, stale_changes, todo_match, todo_scan

MODULES: Final = (stale_changes, todo_scan, todo_match, doctor_errors, failure_shapes)


def main() -> None:
    for module in MODULES:
        for judgement in module.judgements():
            print(json.dumps(judgement.row()))


if __name__ == "__main__":
    main()
