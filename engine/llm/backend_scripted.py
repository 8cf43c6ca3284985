"""Prepared answers in place of a model, for the demo and for tests: no network, and faults on demand.

`params.answers` is a list; each entry is text, a mapping (given as JSON), or a mapping with one key of: `fail` (a kind
of failure; with `retry_after` seconds), `sleep` (seconds before the rest), `hang`, `echo`. They come in turn, per mode.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from engine.contracts.llm import Answered, BackendFailure, BackendOptions, Price, Sent

Script = Callable[[Sent, int], Any]
"""Gets what was sent and how many were sent in this mode before; returns an entry as `params.answers` has them."""


class ScriptedBackend:
    """Implements `engine.contracts.llm.Backend`."""

    def __init__(self, options: BackendOptions, script: Script | None = None) -> None:
        answers = options.params.get("answers")
        self._answers: list[Any] = answers if isinstance(answers, list) and answers else [{"echo": True}]
        self._script = script
        self._count: Counter[str] = Counter()
        self._busy = options.params.get("busy")
        self.sent: list[Sent] = []
        """What was sent, in order."""
        self.asked = asyncio.Event()
        """Set when something was sent."""

    def price(self, mode: str) -> Price | None:
        """Free, unless jobs.yaml says otherwise."""
        return None

    def context_tokens(self, mode: str) -> int | None:
        """Anything fits."""
        return None

    def busy(self) -> str | None:
        """As `params.busy` says."""
        return str(self._busy) if self._busy else None

    async def prepare(self) -> None:
        """Nothing to do."""

    async def call(self, sent: Sent) -> Answered:
        """The next answer of the script."""
        n = self._count[sent.mode]
        self._count[sent.mode] += 1
        self.sent.append(sent)
        self.asked.set()
        entry = self._script(sent, n) if self._script else self._answers[n % len(self._answers)]
        return await self._play(entry, sent)

    async def _play(self, entry: Any, sent: Sent) -> Answered:
        if isinstance(entry, Answered):
            return entry
        if isinstance(entry, BaseException):
            raise entry
        if isinstance(entry, Mapping):
            if "sleep" in entry:
                await asyncio.sleep(float(entry["sleep"]))
                rest = {key: value for key, value in entry.items() if key != "sleep"}
                return await self._play(rest or {"echo": True}, sent)
            if "hang" in entry:
                await asyncio.Event().wait()
            if "fail" in entry:
                after = entry.get("retry_after")
                raise BackendFailure(
                    f"scripted failure: {entry['fail']}",
                    kind=entry["fail"],
                    retry_after_s=None if after is None else float(after),
                    is_charged=bool(entry.get("charged")),
                )
            if "echo" in entry:
                entry = sent.messages[-1].content
        text = entry if isinstance(entry, str) else json.dumps(entry)
        return Answered(text=text, tokens_in=_tokens(*(one.content for one in sent.messages)), tokens_out=_tokens(text))

    async def close(self) -> None:
        """Nothing to do."""


def _tokens(*texts: str) -> int:
    return sum(len(text) // 4 + 1 for text in texts)
