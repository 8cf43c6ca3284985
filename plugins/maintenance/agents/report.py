"""What an agent said of its session: one parser for each kind of output, all of them tolerant.

The words are the agent's, so they are claims: `evidence` decides. Lines that are no JSON are skipped (some builds print
debug lines between), and an object may be spread over many. Sources: the output formats of Claude Code
(`--output-format stream-json`), Codex (`exec --json`) and Gemini CLI (`--output-format json` and `stream-json`), as
their documentation describes them.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Ending = Literal["finished", "asked", "limit", "throttled", "refused", "error", "nothing"]
"""`finished`: it says that it is done; `asked`: it wants to know something; `limit`: its own turns or money ran out;
`throttled`: the provider lets it do no more for now; `refused`: it was not let in; `nothing`: no closing word came."""

_TEXT_MAX: Final = 20_000
_NEWS_MAX: Final = 400
_NEWS_KEPT: Final = 100
_HELD_BACK: Final = re.compile(
    r"\b(?:429|529)\b|rate.?limit|usage limit|hit your .{0,20}limit|quota|overloaded|resource.?exhausted", re.I
)
_UNTIL: Final = re.compile(r"limit reached\|(\d{10})\b")
"""`… usage limit reached|1730000000`, a time in seconds."""
_SPREAD_MAX: Final = 100_000
"""Lines of one object that is spread over many."""


@dataclass(slots=True)
class Report:
    """What is known of a session from its output so far."""

    session_id: str | None = None
    text: str = ""
    """Its last words."""
    ending: Ending = "nothing"
    error: str | None = None
    cost_usd_micros: int | None = None
    """None: not told."""
    tokens_in: int = 0
    tokens_out: int = 0
    turns: int = 0
    denied: list[str] = field(default_factory=list)
    """Tools that it wanted and was not let use."""
    resets_at: int | None = None
    """When the provider lets it go on, ms UTC."""
    doing: str = ""
    """What it does at this moment, in a few words."""
    news: deque[str] = field(default_factory=lambda: deque(maxlen=_NEWS_KEPT))
    """What it has said and done since somebody took note, a line each; the newest."""

    tells_its_id: bool = False
    """Its kind of output begins with the session's id."""
    spread: list[str] = field(default_factory=list)
    """Lines of an object that has begun and not ended."""

    def does(self, what: str) -> None:
        """Note a step of it."""
        if what:
            self.doing = what[:120]
            self.news.append(what[:_NEWS_MAX])

    def says(self, words: str) -> None:
        """Note words of it."""
        self.news.extend(line[:_NEWS_MAX] for line in words.splitlines() if line.strip())

    @property
    def has_begun(self) -> bool:
        """Whether there is a session to go on with, as far as its output tells: some are silent until the end."""
        return not self.tells_its_id or self.session_id is not None

    @property
    def is_turned_away(self) -> bool:
        """Whether its provider let it do nothing at all, which costs nothing."""
        return self.ending in ("throttled", "refused") and not (self.doing or self.text or self.tokens_out)

    def end(self, ending: Ending, error: str | None = None) -> None:
        self.ending, self.error = ending, error


Parser = Callable[[Report, str], None]
"""Takes one line of output into the report."""


def _objects(report: Report, line: str) -> Iterator[dict[str, Any]]:
    """The object in a line, or the one that ends with it; inner lines of one that is spread are indented."""
    line = line.rstrip()
    if line.startswith("{"):
        report.spread.clear()
    if line == "{" or report.spread:
        report.spread.append(line)
        if line != "}":
            if len(report.spread) > _SPREAD_MAX:
                report.spread.clear()
            return
        line = "\n".join(report.spread)
        report.spread.clear()
    line = line.strip()
    if line.startswith("{"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield value


def _text(value: object) -> str:
    return value[:_TEXT_MAX] if isinstance(value, str) else ""


def _micros(usd: object) -> int | None:
    return (
        round(usd * 1_000_000)
        if isinstance(usd, (int, float)) and not isinstance(usd, bool) and 0 <= usd < 1e6
        else None
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0


def claude_stream(report: Report, line: str) -> None:
    """Take a line of Claude Code's stream of events, or its one result object."""
    for told in _objects(report, line):
        if isinstance(told.get("session_id"), str):
            report.session_id = told["session_id"]
        kind = told.get("type")
        if kind == "assistant":
            report.turns += 1
            _claude_step(report, told.get("message"))
        elif kind == "rate_limit_event":
            limit = told.get("rate_limit_info")
            if isinstance(limit, dict) and limit.get("status") == "rejected":
                resets_at = limit.get("resetsAt", limit.get("resets_at"))
                report.resets_at = _count(resets_at) * 1000 or None
                report.end("throttled", "the provider's limit is used up")
        elif kind == "result":
            _claude_result(report, told)


def _claude_step(report: Report, message: object) -> None:
    content = message.get("content") if isinstance(message, dict) else None
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict):
            continue
        if part.get("type") == "text":
            report.says(_text(part.get("text")))
        elif part.get("type") == "tool_use":
            given = part.get("input")
            what = (
                next((_text(value) for value in given.values() if _text(value)), "") if isinstance(given, dict) else ""
            )
            report.does(f"{_text(part.get('name'))} {what}".strip())


def _claude_result(report: Report, told: Mapping[str, Any]) -> None:
    report.text = _text(told.get("result")) or report.text
    report.cost_usd_micros = _micros(told.get("total_cost_usd"))
    report.turns = _count(told.get("num_turns")) or report.turns
    usage = told.get("usage")
    if isinstance(usage, dict):
        report.tokens_in, report.tokens_out = _count(usage.get("input_tokens")), _count(usage.get("output_tokens"))
    denials = told.get("permission_denials")
    for denial in denials if isinstance(denials, list) else ():
        name = denial.get("tool_name") if isinstance(denial, dict) else denial
        report.denied.append(_text(name) or "a tool")
    subtype, status = _text(told.get("subtype")), told.get("api_error_status")
    if told.get("deferred_tool_use"):
        report.end("asked")
    elif status in (429, 529):
        report.end("throttled", report.text or f"status {status}")
    elif status in (401, 403):
        report.end("refused", report.text or f"status {status}")
    elif subtype in ("error_max_turns", "error_max_budget_usd"):
        report.end("limit", subtype.removeprefix("error_").replace("_", " "))
    elif told.get("is_error") or subtype.startswith("error"):
        _end_on(report, report.text or subtype)
    else:
        report.end("finished")


def codex_jsonl(report: Report, line: str) -> None:
    """Take a line of Codex' events."""
    for told in _objects(report, line):
        kind = told.get("type")
        item = told.get("item")
        if kind == "thread.started":
            report.session_id = _text(told.get("thread_id")) or None
        elif kind == "turn.started":
            report.turns += 1
        elif kind in ("item.started", "item.completed") and isinstance(item, dict):
            if item.get("type") == "agent_message":
                report.text = _text(item.get("text")) or report.text
                report.says(_text(item.get("text")))
            elif kind == "item.started":
                report.does(_text(item.get("command")) or _text(item.get("type")))
        elif kind == "turn.completed":
            usage = told.get("usage")
            if isinstance(usage, dict):
                report.tokens_in += _count(usage.get("input_tokens"))
                report.tokens_out += _count(usage.get("output_tokens"))
            report.end("finished")
        elif kind in ("turn.failed", "error"):
            error = told.get("error")
            message = _text(error.get("message")) if isinstance(error, dict) else _text(told.get("message"))
            _end_on(report, message)


def _end_on(report: Report, message: str) -> None:
    """It ended on an error; by its words the provider may have held it back, until a time that some of them name."""
    if not _HELD_BACK.search(message):
        report.end("error", message or "it ended on an error")
        return
    if until := _UNTIL.search(message):
        report.resets_at = int(until[1]) * 1000
    report.end("throttled", message)


def gemini_json(report: Report, line: str) -> None:
    """Take a line of Gemini CLI's one object, or of its stream of events."""
    for told in _objects(report, line):
        report.session_id = _text(told.get("session_id")) or report.session_id
        report.text = _text(told.get("response")) or report.text
        error, kind = told.get("error"), told.get("type")
        if kind == "message" and told.get("role") == "assistant":
            words = _text(told.get("content"))
            report.text = (report.text + words)[:_TEXT_MAX] if told.get("delta") is True else words
            report.says(words)
        elif kind == "tool_use":
            report.turns += 1
            report.text = ""
            report.does(_text(told.get("tool_name")))
        elif isinstance(error, dict):
            _end_on(report, f"{error.get('code') or ''} {_text(error.get('message'))}".strip())
        elif "response" in told or kind == "result":
            report.end("finished")


def last_line_json(report: Report, line: str) -> None:
    """Take a line of any program that ends with one object {result, error?, cost_usd?, session_id?, question?}."""
    for told in _objects(report, line):
        report.session_id = _text(told.get("session_id")) or report.session_id
        report.text = _text(told.get("result")) or report.text
        report.cost_usd_micros = _micros(told.get("cost_usd")) if "cost_usd" in told else report.cost_usd_micros
        if _text(told.get("question")):
            report.text = _text(told["question"])
            report.end("asked")
        elif told.get("error"):
            report.end("error", _text(told["error"]) or "it ended on an error")
        elif "result" in told:
            report.end("finished")


def text(report: Report, line: str) -> None:
    """Take a line of a program that only prints words; its exit code says whether it ended well."""
    if line.strip():
        report.text = f"{report.text}\n{line.rstrip()}"[-_TEXT_MAX:].lstrip("\n")
        report.does(line.strip())


PARSERS: Final[Mapping[str, Parser]] = {
    "claude_stream": claude_stream,
    "codex_jsonl": codex_jsonl,
    "gemini_json": gemini_json,
    "last_line_json": last_line_json,
    "text": text,
}
"""By the name that jobs.yaml uses (`output`)."""
TELL_THEIR_ID: Final = frozenset({"claude_stream", "codex_jsonl"})
"""Kinds of output whose first lines name the session."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


def id_of(report: Report) -> str | None:
    """The session's id as the agent told it, where it may stand on a command line."""
    return report.session_id if report.session_id and _ID.fullmatch(report.session_id) else None
