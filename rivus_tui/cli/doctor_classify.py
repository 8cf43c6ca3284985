"""`rivus doctor classify`: verdicts by rule on failures that are read from stdin; no state, no engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from rivus_tui.cli.output import json_option, print_json, print_table


@click.command()
@json_option
def classify(as_json: bool) -> None:
    """Classify failures from stdin, one JSON object a line, by rules alone.

    A line has `id`, `job`, `stage`, `exc_type`, `message` and `traceback_tail`; only `exc_type` or `message` must be
    there. Nothing is stored and no model is asked.
    """
    from engine.rules.verdicts.facts import facts_of
    from engine.rules.verdicts.signature import signature_of
    from engine.rules.verdicts.sort import judge_facts

    rows: list[tuple[object, ...]] = []
    for row, failure in _failures():
        facts = facts_of(failure)
        verdict = judge_facts(facts)
        signature = signature_of(failure, facts)
        if as_json:
            print_json(
                {
                    "id": row.get("id"),
                    "class": verdict.cls,
                    "confidence": verdict.confidence,
                    "by": verdict.by,
                    "rule": verdict.rule,
                    "signature": signature.key,
                }
            )
        else:
            rows.append((row.get("id", ""), verdict.cls, verdict.confidence, verdict.rule or "-", signature.label))
    if not as_json:
        print_table(("ID", "CLASS", "SURE", "RULE", "SIGNATURE"), rows)


def _failures() -> Iterator[tuple[dict[str, Any], Any]]:
    from engine.contracts.errors import UseError
    from engine.contracts.verdict import Failure

    for number, line in enumerate(sys.stdin.buffer, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            raise UseError(f"stdin, line {number}: not JSON: {error}") from None
        if not isinstance(row, dict) or not ("exc_type" in row or "message" in row):
            raise UseError(f"stdin, line {number}: needs an object with `exc_type` and `message`")
        texts = {name: _text(row.get(name)) for name in ("job", "stage", "exc_type", "message", "traceback_tail")}
        yield row, Failure(**texts)


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
