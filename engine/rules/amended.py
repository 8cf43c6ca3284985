"""The data of an item with the fields that a person has set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def laid_over(data: Mapping[str, Any], amended: Mapping[str, Any]) -> dict[str, Any]:
    """Return data with fields set (None: taken away)."""
    return {name: value for name, value in {**data, **amended}.items() if name not in amended or value is not None}
