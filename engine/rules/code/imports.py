"""Modules whose import does nothing that another module could notice."""

from __future__ import annotations

import sys
from typing import Final

_LOUD: Final = frozenset({"this", "antigravity", "readline", "rlcompleter", "site", "sitecustomize", "usercustomize"})
_KNOWN: Final = frozenset(
    {"aiohttp", "aiosqlite", "anthropic", "attr", "attrs", "bs4", "click", "feedparser", "httpx", "jinja2", "litellm"}
    | {"loguru", "lxml", "numpy", "openai", "orjson", "pandas", "pydantic", "pytest", "requests", "rich", "structlog"}
    | {"tenacity", "tqdm", "typing_extensions", "yaml"}
)
QUIET_MODULES: Final = (frozenset(sys.stdlib_module_names) - _LOUD) | _KNOWN
"""An unused import of one of them may come and go; any other may register or patch something."""
