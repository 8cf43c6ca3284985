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


GEMINI = (
    {"type": "init", "session_id": "g-1"},
    {"type": "message", "role": "user", "content": "the task"},
    {"type": "message", "role": "assistant", "content": "I look first.", "delta": True},
    {"type": "tool_use", "tool_name": "read_file", "parameters": {}},
    {"type": "message", "role": "assistant", "content": "It is ", "delta": True},
    {"type": "message", "role": "assistant", "content": "done.", "delta": True},
    {"type": "result", "status": "success", "stats": {}},
)


@pytest.mark.parametrize(
    ("printed", "ending", "words"),
    [
        (json.dumps({"session_id": "g-1", "response": "It is done.", "stats": {"a": {}}}, indent=2), "finished", True),
        ("{\nnot json\n" + json.dumps({"session_id": "g-1", "response": "It is done."}), "finished", True),
        ("\n".join(json.dumps(one) for one in GEMINI), "finished", True),
        (json.dumps({"session_id": "g-1", "error": {"code": 429, "message": "no"}}, indent=2), "throttled", False),
        (json.dumps({"session_id": "g-1", "error": {"code": 41, "message": "no"}}, indent=2), "error", False),
    ],
    ids=["spread", "after a brace", "stream", "throttled", "error"],
)
def test_gemini_is_understood_in_each_of_its_ways(printed: str, ending: str, words: bool) -> None:
    report = Report()
    for line in printed.splitlines():
        PARSERS["gemini_json"](report, line)
    assert (report.ending, report.session_id) == (ending, "g-1")
    assert (report.text == "It is done.") is words


def test_claude_says_when_it_may_go_on() -> None:
    report = Report()
    told = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 1_784_979_600}}
    PARSERS["claude_stream"](report, json.dumps(told))
    assert (report.ending, report.resets_at) == ("throttled", 1_784_979_600_000)


@pytest.mark.parametrize(
    ("output", "told", "ending", "resets_at"),
    [
        (
            "claude_stream",
            {"type": "result", "is_error": True, "result": "Claude AI usage limit reached|1784979600"},
            "throttled",
            1_784_979_600_000,
        ),
        ("claude_stream", {"type": "result", "is_error": True, "result": "API Error: line 1429"}, "error", None),
        (
            "codex_jsonl",
            {"type": "turn.failed", "error": {"message": "You've hit your usage limit. Try again in 2 hours."}},
            "throttled",
            None,
        ),
        ("codex_jsonl", {"type": "error", "message": "stream error: 429 Too Many Requests"}, "throttled", None),
        ("codex_jsonl", {"type": "error", "message": "no such file: 4290.txt"}, "error", None),
    ],
)
def test_who_is_held_back_has_not_failed(
    output: str, told: dict[str, object], ending: str, resets_at: int | None
) -> None:
    report = Report()
    PARSERS[output](report, json.dumps(told))
    assert (report.ending, report.resets_at) == (ending, resets_at)


def test_a_flood_leaves_the_newest_lines_only() -> None:
    report = Report()
    for number in range(2_000):
        PARSERS["text"](report, f"line {number} " + "x" * 500)
    assert len(report.news) == 100
    assert report.news[-1].startswith("line 1999 ")
    assert len(report.news[-1]) == 400
