"""Values of fields as people write them."""

from __future__ import annotations

import json
from typing import Any


def value_of(text: str) -> Any:
    """Return what a person wrote as a value: JSON where it is some, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
