"""Declarations that a plugin makes about its own functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

PARAMS_ATTRIBUTE = "__rivus_params__"
"""Where `accepts` keeps the names."""


def accepts(*names: str) -> Callable[[F], F]:
    """Declare the params that a handler or discovery reads; any other in jobs.yaml is an error with its line."""

    def mark(function: F) -> F:
        setattr(function, PARAMS_ATTRIBUTE, names)
        return function

    return mark
