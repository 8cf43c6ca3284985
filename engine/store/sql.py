"""Named queries: each `.sql` file holds queries that start with `-- name: NAME`, and a sentence that explains them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent
_NAME: Final = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def load(stem: str) -> dict[str, str]:
    """Queries of `engine/store/STEM.sql` by name."""
    text = (_FOLDER / f"{stem}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{stem}.sql names a query twice")
    return {name: _strip(body) for name, body in zip(names, bodies, strict=True)}


def queries(stem: str) -> Any:
    """The same as attributes; an unknown name is an AttributeError at the place that uses it."""
    return SimpleNamespace(**load(stem))


def _strip(body: str) -> str:
    lines = [line for line in body.strip().splitlines() if not line.startswith("--")]
    return "\n".join(lines).strip().rstrip(";")
