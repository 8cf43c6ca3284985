"""One rule: when it applies, what it says, and an example that shows it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from engine.contracts.values import dataclass
from engine.contracts.verdict import Confidence, FailureClass
from engine.rules.verdicts.facts import Facts, Link

FIXES: Final[dict[FailureClass, str]] = {
    "transient": "",
    "throttled": "Wait, or ask for less at a time.",
    "systemic": "Mend what the error names; then resume the job.",
    "code_bug": "Mend the handler or what it calls.",
    "item": "",
    "unknown": "Look at the evidence and classify it.",
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """All conditions that are given must hold of one link of the chain."""

    id: str
    cls: FailureClass
    sure: Confidence
    types: str = ""
    """Pattern for the whole bare type, in lower case."""
    codes: str = ""
    """Pattern in an error code or the type's name, both without case and punctuation."""
    status: tuple[int, ...] = ()
    errno: tuple[int, ...] = ()
    exits: str = ""
    """Pattern for a whole exit code or a signal's name."""
    text: str = ""
    """Pattern in the words: lower case, without addresses, paths, quoted names and SQL."""
    raw: str = ""
    """Pattern in the message as it stands, in lower case."""
    source: str = ""
    """Pattern in the deepest lines of code."""
    unless: str = ""
    """Pattern that must not be in the words."""
    unless_raw: str = ""
    """Pattern that must not be in the message as it stands."""
    retry_after: bool = False
    """The other side must have said when to come back."""
    example: tuple[str, ...]
    """Type, message, and, if needed, the end of the traceback."""
    fix: str = ""

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        names = ("types", "codes", "exits", "text", "raw", "source", "unless", "unless_raw")
        return {name: re.compile(getattr(self, name), re.S) for name in names if getattr(self, name)}

    def matches(self, link: Link, facts: Facts) -> bool:
        """Whether this rule applies to one link."""
        patterns = self._patterns
        if "types" in patterns and not patterns["types"].fullmatch(link.name):
            return False
        if self.status and not (link.statuses and link.statuses[0] in self.status):
            return False
        if self.errno and not any(number in self.errno for number in link.errnos):
            return False
        # What an exception of the language says quotes the program: `KeyError: 'rate limit'` limits nothing.
        if link.quotes_program and self.cls != "code_bug" and (self.text or self.codes):
            return False
        if "codes" in patterns and not any(patterns["codes"].search(code) for code in link.codes):
            return False
        if "exits" in patterns and not any(patterns["exits"].fullmatch(code) for code in link.exits):
            return False
        if "text" in patterns and not patterns["text"].search(link.words):
            return False
        if "raw" in patterns and not patterns["raw"].search(link.raw):
            return False
        if "source" in patterns and not patterns["source"].search(facts.source):
            return False
        if self.retry_after and link.retry_after_s is None and link.retry_at is None:
            return False
        if "unless" in patterns and patterns["unless"].search(link.words):
            return False
        return not ("unless_raw" in patterns and patterns["unless_raw"].search(link.raw))
