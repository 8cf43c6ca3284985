"""`rivus config show --sources`: every value with where it comes from, and secrets only by name."""

from __future__ import annotations

import pytest

from tests.acceptance.command_line import Rivus

JOBS = """\
version: 1
settings:
  grace: 5s
models: {fast: [openai/gpt-5-mini]}
jobs:
  docs: {stages: [{read: {handler: plugins.pipelines.docs.read}}]}
"""


def test_every_value_says_where_it_comes_from(rivus: Rivus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-seen")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hidden@proxy:3128")
    rivus.write({"jobs.yaml": JOBS})
    told = {one["name"]: one for one in rivus("config", "show", "--sources", "--json").objects}
    assert told["settings.grace"]["value"] == 5.0
    assert told["settings.grace"]["source"].endswith("jobs.yaml:3")
    assert told["settings.workers"]["source"] == "default"
    assert told["state_dir"]["source"] == "flag --state"
    assert told["HTTPS_PROXY"]["value"] == "set"
    assert told["OPENAI_API_KEY"]["source"] == "set (environment)"
    shown = rivus("config", "show", "--sources")
    assert "What goes first: a flag" in shown.out
    assert "not-to-be-seen" not in shown.out
    assert "hidden" not in shown.out
