"""What an engine does not need until something happens: a failure, a command of a person, a jury, a change of code.

The first handler waits for none of it, so nothing that starts an engine imports it. An engine that goes on loads it
beside its first work, because it may run for months: the files may be others by then.
"""

from __future__ import annotations

from engine.doctor import ladder, model
from engine.llm import backend_litellm, backend_scripted, jury, review
from engine.services import change_question, commands
from engine.work import canary

__all__ = [
    "backend_litellm",
    "backend_scripted",
    "canary",
    "change_question",
    "commands",
    "jury",
    "ladder",
    "model",
    "review",
]
