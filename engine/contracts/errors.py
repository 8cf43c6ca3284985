"""The error tree.

RivusError                    exit code 1
├── UseError                  2  wrong use: an argument, a name that is not there
│   └── ConfigError           2  jobs.yaml cannot be used; carries every problem at once
├── OwnedError                3  another engine owns the state directory
├── ModelNeeded               4  a model or key is needed
├── ModelError                1  a model was asked, or was to be asked, and there is no answer
│   ├── ModelBusy             1  not now (quota, pace, Retry-After, money of the day): come back at `until`
│   ├── ModelFailed           1  the provider failed or refused; carries the doctor's class
│   ├── BadReply              1  the answer does not fit the schema, after one repair
│   ├── TooCostly             1  the call may cost more than it may
│   └── InDoubt               1  a crash came between a request and its answer: it may have been answered and paid
├── StateError                1  the state file cannot be used (newer, damaged, not ours)
└── EngineStopped             1  the engine ended before it could answer

A message says what is wrong, where, and what to do. The class docstring is the default message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.contracts.values import dataclass


class RivusError(Exception):
    """Something went wrong in Rivus."""

    exit_code = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or type(self).__name__).strip())


class UseError(RivusError):
    """The command was used wrongly."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration file."""

    file: str
    """Path as the user would type it."""
    line: int | None
    """1-based; None when the problem is the file itself."""
    key: str
    """Dotted path of the key, such as `jobs.docs.stages.read.timeout`; empty for the file itself."""
    message: str
    """What is wrong and what to do."""

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(UseError):
    """jobs.yaml cannot be used."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class OwnedError(RivusError):
    """Another engine owns this state directory."""

    exit_code = 3

    def __init__(self, message: str, *, pid: int | None = None, since: int | None = None) -> None:
        self.pid = pid
        self.since = since
        super().__init__(message)


NO_MODEL: Final = (
    "no model is configured: name one in jobs.yaml, such as `models: {fast: [openai/gpt-5-mini]}`, "
    "and set its key in the environment or in a `.env` beside jobs.yaml that only you can read"
)
"""What to do where no model is configured."""


class ModelNeeded(RivusError):
    """A model or a key is needed for this, and none is configured."""

    exit_code = 4


class ModelError(RivusError):
    """A model gave no answer."""


class ModelBusy(ModelError):
    """A model cannot be asked now."""

    def __init__(self, message: str, *, until: int | None) -> None:
        """`until`: when to come back, ms UTC; None: not known."""
        self.until = until
        super().__init__(message)


class ModelFailed(ModelError):
    """The provider of a model failed or refused."""

    def __init__(self, message: str, *, kind: str, status: int | None = None) -> None:
        """`kind`: transient, throttled, systemic, item, context or code_bug."""
        self.kind = kind
        self.status = status
        super().__init__(message)


class BadReply(ModelError):
    """A model's answer does not have the shape that was asked for."""

    def __init__(self, message: str, *, text: str) -> None:
        """`text`: the answer as it came."""
        self.text = text
        super().__init__(message)


class TooCostly(ModelError):
    """A model call may cost more than it may."""


class InDoubt(ModelError):
    """A request may have been answered already, and the answer is lost."""


class StateError(RivusError):
    """The state file cannot be used."""


class EngineStopped(RivusError):
    """The engine stopped before it could answer."""


class Untrusted(UseError):
    """A configuration names code that nobody has allowed to run yet; nothing of it was imported."""
