"""An agent as jobs.yaml describes it: how it is called, how it is heard, and what it may see."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from plugins.maintenance.agents.report import PARSERS

_PLACEHOLDERS: Final = ("prompt", "prompt_file", "session_id", "budget_usd", "max_turns")
_PROMPTS: Final = ("stdin", "argument", "file")
_CONFINED: Final = ("required", "if possible", "no")
_KEYS: Final = frozenset(
    {
        *("command", "resume", "prompt", "output", "env_pass", "home", "network", "read", "confined", "minutes"),
        *("silent_minutes", "cost", "turns", "memory"),
    }
)


class BadAgent(ValueError):
    """The description of an agent is wrong; the message names the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One coding agent."""

    name: str
    command: tuple[str, ...]
    """What is run, word by word; `{prompt}`, `{prompt_file}`, `{session_id}`, `{budget_usd}`, `{max_turns}` stand for
    values. No shell."""
    resume: tuple[str, ...] = ()
    """The same for going on with a session; empty: it cannot."""
    prompt: str = "stdin"
    output: str = "text"
    env_pass: tuple[str, ...] = ()
    """Variables of the engine's environment that it gets, such as the key that it logs in with; nothing else."""
    home: bool = False
    """Whether it works in the user's real home folder, with all that lies there."""
    network: bool = False
    read: tuple[str, ...] = ()
    """Further folders that it may read, such as where it is installed."""
    confined: str = "if possible"
    minutes: float = 60.0
    silent_minutes: float = 10.0
    """Without a word for so long, it hangs."""
    cost_usd_micros: int = 2_000_000
    turns: int = 60

    def words(self, *, resume: bool, values: Mapping[str, str]) -> list[str]:
        """Return the command line with its values put in."""
        return [_filled(word, values) for word in (self.resume if resume else self.command)]


def _filled(word: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), word)


def agents_of(told: object) -> dict[str, Agent]:
    """Read `agents` of a stage's params; BadAgent says what is wrong."""
    if not isinstance(told, Mapping):
        raise BadAgent("`agents` maps names to descriptions")
    return {str(name): _agent(str(name), value) for name, value in told.items()}


def _agent(name: str, told: object) -> Agent:
    if not isinstance(told, Mapping):
        raise BadAgent(f"agents.{name}: a description has at least a `command`")
    if unknown := sorted(set(map(str, told)) - _KEYS):
        raise BadAgent(f"agents.{name}.{unknown[0]}: there is no such key; there are: {', '.join(sorted(_KEYS))}")
    command = _words(name, told, "command")
    if not command:
        raise BadAgent(f"agents.{name}.command: what is run, as a list of words")
    prompt = _one_of(name, told, "prompt", _PROMPTS, "stdin")
    if prompt == "argument" and not any("{prompt}" in word for word in command):
        raise BadAgent(f"agents.{name}.command: with `prompt: argument` one word holds {{prompt}}")
    return Agent(
        name=name,
        command=command,
        resume=_words(name, told, "resume"),
        prompt=prompt,
        output=_one_of(name, told, "output", tuple(PARSERS), "text"),
        env_pass=_words(name, told, "env_pass"),
        home=_flag(name, told, "home"),
        network=_flag(name, told, "network"),
        read=tuple(os.path.abspath(os.path.expanduser(path)) for path in _words(name, told, "read")),
        confined=_one_of(name, told, "confined", _CONFINED, "if possible"),
        minutes=_number(name, told, "minutes", 60.0),
        silent_minutes=_number(name, told, "silent_minutes", 10.0),
        cost_usd_micros=_money(name, told),
        turns=round(_number(name, told, "turns", 60.0)),
    )


def _words(name: str, told: Mapping[Any, Any], key: str) -> tuple[str, ...]:
    value = told.get(key, ())
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(word, str) for word in value):
        raise BadAgent(f"agents.{name}.{key}: a list of words, such as [agent, --print]")
    for word in value:
        for found in re.findall(r"\{(\w+)\}", word):
            if found not in _PLACEHOLDERS:
                raise BadAgent(f"agents.{name}.{key}: there is no {{{found}}}; there are: {', '.join(_PLACEHOLDERS)}")
        if "\0" in word:
            raise BadAgent(f"agents.{name}.{key}: a word of a command holds no NUL")
    return tuple(value)


def _one_of(name: str, told: Mapping[Any, Any], key: str, known: Sequence[str], default: str) -> str:
    value = told.get(key, default)
    if value not in known:
        raise BadAgent(f"agents.{name}.{key}: one of {', '.join(known)}")
    return str(value)


def _flag(name: str, told: Mapping[Any, Any], key: str) -> bool:
    value = told.get(key, False)
    if not isinstance(value, bool):
        raise BadAgent(f"agents.{name}.{key}: true or false")
    return value


def _number(name: str, told: Mapping[Any, Any], key: str, default: float) -> float:
    value = told.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 100_000:
        raise BadAgent(f"agents.{name}.{key}: a number above 0")
    return float(value)


def _money(name: str, told: Mapping[Any, Any]) -> int:
    value = told.get("cost", "2 USD")
    match = re.fullmatch(r"(\d+(?:\.\d+)?) USD", value) if isinstance(value, str) else None
    if match is None:
        raise BadAgent(f"agents.{name}.cost: an amount such as `2 USD`")
    return round(float(match[1]) * 1_000_000)
