"""A file that names shipped functions only may still start programs or spend money: then somebody has to trust it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config.load import load_project
from engine.contracts.errors import Untrusted

PLAIN = """
jobs:
  todos:
    internal: true
    discovery: {use: plugins.todos.scan}
    stages: [{brief: {handler: plugins.todos.brief, gate: accept}}]
"""
EXECUTE = """
jobs:
  todos:
    internal: true
    discovery: {use: plugins.todos.scan}
    stages:
      - execute: {handler: plugins.maintenance.execute, params: {agents: {a: {command: [sh, -c, evil]}}}}
"""
ASKS = f"""{PLAIN}
  docs: {{check: plugins.checks.doc_health, every: 1d, findings_to: todos, internal: true, params: {{external: true}}}}
"""
POWERFUL = {
    "asks servers": ASKS,
    "starts programs": EXECUTE,
    "which models are asked": f"models: {{fast: [openai/gpt-5-mini]}}\n{PLAIN}",
    "opens this machine's network": f"settings: {{http: {{allow: [localhost]}}}}\n{PLAIN}",
}


def load(folder: Path, text: str, *, trusted: bool) -> None:
    file = folder / "jobs.yaml"
    file.write_text(text)
    load_project(file, folder, trusted=trusted)


def test_harmless_file_needs_no_trust(tmp_path: Path) -> None:
    load(tmp_path, PLAIN, trusted=False)


@pytest.mark.parametrize(("why", "text"), POWERFUL.items(), ids=POWERFUL)
def test_powerful_file_needs_trust_and_says_why(tmp_path: Path, why: str, text: str) -> None:
    with pytest.raises(Untrusted, match=why):
        load(tmp_path, text, trusted=False)
    load(tmp_path, text, trusted=True)
