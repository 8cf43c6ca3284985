"""What of a conversation is sent along: the newest turns, and the others as a running summary. Pure."""

from __future__ import annotations

from typing import Final

FOLD_SLACK: Final = 10
"""So many turns beyond `keep` gather before they are folded into the summary: folding costs a call."""


def fold_until(answered: int, kept_from: int, keep: int) -> int | None:
    """The first turn that stays as it is, when older ones are to be folded; None: nothing is to be folded yet.

    `answered`: number of answered turns; `kept_from`: the first one that is not in the summary (from 1).
    """
    if answered - kept_from + 1 < keep + FOLD_SLACK:
        return None
    return answered - keep + 1


def fold_question(summary: str, turns: list[tuple[str, str]], limit: int = 60_000) -> str:
    """The question that makes the summary: what was summarised before, and the turns that join it."""
    told = "\n\n".join(f"Q: {question}\nA: {answer}" for question, answer in turns)
    before = f"The summary so far:\n{summary}\n\n" if summary else ""
    return (
        f"{before}Further turns of the conversation:\n{told[-limit:]}\n\n"
        "Write the new summary of all of it for somebody who goes on with this conversation: what was asked, found and "
        "decided, with names, numbers and what is still open. At most 400 words, no preamble."
    )
