"""The door where no model is configured: it can be asked whether it opens, and says how to open it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.contracts.errors import NO_MODEL, ModelNeeded
from engine.contracts.llm import Consensus, Conversation, Message, Reply, Request


class NoModel:
    """Implements `engine.contracts.llm.LLM`; whatever is asked raises ModelNeeded."""

    def __init__(self, why: str = NO_MODEL) -> None:
        self._why = why

    def missing(self, model: str | None = None) -> str | None:
        """Why nothing can be asked."""
        return self._why

    async def ask(self, prompt: str | Sequence[Message] | Request, **_more: Any) -> Reply:
        """Raise ModelNeeded."""
        raise ModelNeeded(self._why)

    def ask_and_wait(self, prompt: str | Sequence[Message] | Request, **_more: Any) -> Reply:
        """Raise ModelNeeded."""
        raise ModelNeeded(self._why)

    async def jury(self, prompt: str | Sequence[Message] | Request, **_more: Any) -> Consensus:
        """Raise ModelNeeded."""
        raise ModelNeeded(self._why)

    def jury_and_wait(self, prompt: str | Sequence[Message] | Request, **_more: Any) -> Consensus:
        """Raise ModelNeeded."""
        raise ModelNeeded(self._why)

    def conversation(self, name: str, **_more: Any) -> Conversation:
        """Raise ModelNeeded."""
        raise ModelNeeded(self._why)
