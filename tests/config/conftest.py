"""A fresh project folder for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

import plugins
from tests.config.folders import Folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """A folder whose plugin module is imported under a name of its own and forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a module written twice in a second would be the first one
    monkeypatch.setattr(plugins, "__path__", list(plugins.__path__))
    before = set(sys.modules)
    yield Folder(tmp_path, f"plugin_{uuid4().hex[:8]}")
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]
