"""What an agent says and does becomes lines for whoever follows its session."""

from __future__ import annotations

import json

import pytest

from plugins.maintenance.agents.report import PARSERS, Report

CLAUDE = (
    {"type": "assistant", "message": {"content": [{"type": "text", "text": "I look first.\n\nThen I edit."}]}},
    {"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Edit", "input": {"path": "a.py"}}]}},
    {"type": "result", "subtype": "success", "result": "Done."},
)
CODEX = (
    {"type": "item.started", "item": {"type": "command_execution", "command": "ls"}},
    {"type": "item.completed", "item": {"type": "agent_message", "text": "Nothing there."}},
)


@pytest.mark.parametrize(
    ("output", "lines", "news"),
    [
        ("claude_stream", [json.dumps(one) for one in CLAUDE], ["I look first.", "Then I edit.", "Edit a.py"]),
        ("codex_jsonl", [json.dumps(one) for one in CODEX], ["ls", "Nothing there."]),
        ("text", ["reading", "", "writing"], ["reading", "writing"]),
    ],
)
def test_words_and_steps_are_noted_in_order(output: str, lines: list[str], news: list[str]) -> None:
    report = Report()
    for line in lines:
        PARSERS[output](report, line)
    assert list(report.news) == news


def test_a_flood_leaves_the_newest_lines_only() -> None:
    report = Report()
    for number in range(2_000):
        PARSERS["text"](report, f"line {number} " + "x" * 500)
    assert len(report.news) == 100
    assert report.news[-1].startswith("line 1999 ")
    assert len(report.news[-1]) == 400
