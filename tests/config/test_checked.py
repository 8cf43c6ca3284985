"""A file that was checked before is not checked again; whatever has changed is, and nothing else shows."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from engine.config import check as check_part
from engine.config import checked, kept
from engine.config.check import check
from engine.config.document import read_bytes
from engine.config.load import load_project
from engine.config.model import ProjectKeys, StageKeys
from engine.config.problems import Problems
from engine.contracts.errors import ConfigError
from engine.contracts.spec import ProjectSpec

JOBS = """\
settings: {timezone: Europe/Berlin, worker_memory: 2 GB, idle: {use: plugins.idle.activity}}
resources: {host: {capacity: 2, pace: 60/h, burst: 5}}
backends:
  own: {base_url: "http://localhost:1/v1", modes: {a/b: {price: free}}, params: {organization: [1, 2.5, null, "1e3"]}}
models: {fast: own/a, deep: {models: [own/a, own/b], max_cost: 0.05 USD}}
jobs:
  todos:
    discovery: {use: plugins.todos.scan, every: 10m, comments: true}
    priority: [{P1: {kind: [bug, null], age: {below: 2d}}}, P3]
    recur: weekly
    eligibility: {hours: "22:00-06:00", data: {risk: [low, null]}, auto_start: true}
    doctor: {classifiers: none, on: {transient: [later, notify]}, thresholds: {systemic: 2.5}}
    guards: {daily_cost: 1 USD, error_rate: {over: 30%}}
    stages:
      - context: {handler: plugins.todos.context, resource: host, pace: 1/s, outputs: {title: str}, after: []}
      - brief: {handler: plugins.todos.brief, gate: accept}
    triage: [{do: snooze, for: 30d, when: {path: {within: src}}}]
  single: {handler: plugins.todos.context}
  lint: {check: plugins.checks.doc_health, findings_to: todos, cron: 0 6 * * 1}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A jobs.yaml, with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "project").mkdir()
    file = tmp_path / "project" / "jobs.yaml"
    file.write_text(JOBS)
    return file


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The times that a file was really checked."""
    seen: list[bytes] = []

    def looked(raw: bytes, problems: Problems) -> checked.Checked | None:
        seen.append(raw)
        return check(raw, problems)

    monkeypatch.setattr(check_part, "check", looked)
    return seen


def load(file: Path) -> ProjectSpec:
    return load_project(file, file.parent)


def cache_of(file: Path) -> Path:
    (cache,) = (file.parent.parent / "cache" / "rivus" / "config").iterdir()
    return cache


def told(keys: object) -> object:
    """Keys as plain values, with what they do not know beside them; the same for models and for what was kept."""
    if isinstance(keys, dict):
        return {name: told(value) for name, value in keys.items()}
    if isinstance(keys, (list, tuple)):
        return type(keys)(told(one) for one in keys)
    if hasattr(keys, "model_extra"):
        return {name: told(value) for name, value in vars(keys).items()}, told(keys.model_extra)
    return keys


def test_file_that_was_checked_is_not_checked_again_and_comes_to_the_same(file: Path, checks: list[bytes]) -> None:
    assert load(file) == load(file)
    assert len(checks) == 1


def test_what_was_kept_is_what_the_models_gave(file: Path) -> None:
    raw = read_bytes(file)
    fresh = check(raw, Problems(file))
    assert fresh is not None
    checked.store(raw, fresh)
    again = checked.load(raw)
    assert again is not None
    assert told(again.keys) == told(fresh.keys)
    assert told(again.bare) == told(StageKeys())
    assert again.document.lines == fresh.document.lines
    assert not isinstance(again.keys, ProjectKeys)


@pytest.mark.parametrize("what", ["file", "rules", "library", "python", "zone"])
def test_whatever_the_check_follows_from_is_looked_at(
    file: Path, checks: list[bytes], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    load(file)
    if what == "file":
        file.write_text(JOBS + "# a word\n")
    elif what == "rules":
        monkeypatch.setattr(checked, "_stamp", lambda entry: (entry.path, 0, 0))
    elif what == "library":
        monkeypatch.setattr(checked, "_LIBRARIES", ("pydantic",))
    elif what == "python":
        monkeypatch.setattr("sys.version", "another")
    else:
        monkeypatch.setattr(checked, "is_zone", lambda _name: False)
    load(file)
    assert len(checks) == 2


@pytest.mark.parametrize("damage", ["cut", "a bit", "empty", "others", "link", "foreign", "pipe", "deep"])
def test_cache_that_is_not_sound_is_as_good_as_none(file: Path, checks: list[bytes], damage: str) -> None:
    project = load(file)
    cache = cache_of(file)
    raw = cache.read_bytes()
    if damage == "cut":
        cache.write_bytes(raw[:-20])
    elif damage == "a bit":
        cache.write_bytes(raw.replace(b"plugins.todos.scan", b"plugins.todos.scam"))
    elif damage == "empty":
        cache.write_bytes(b"")
    elif damage == "others":
        cache.chmod(0o666)
    elif damage == "link":
        os.replace(cache, file.parent / "elsewhere")
        cache.symlink_to(file.parent / "elsewhere")
    elif damage == "pipe":
        cache.unlink()
        os.mkfifo(cache)
    else:
        body = b"[" * 100_000 if damage == "deep" else json.dumps([[], ["keys", {"jobs": 5}, None], 1]).encode()
        cache.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    assert load(file) == project
    assert len(checks) == 2


def test_file_with_an_error_is_never_kept_and_says_the_same_each_time(file: Path, checks: list[bytes]) -> None:
    file.write_text(JOBS.replace("gate: accept", "gaet: accept"))
    said = []
    for _ in range(2):
        with pytest.raises(ConfigError) as error:
            load(file)
        said.append(str(error.value))
    assert said[0] == said[1]
    assert len(checks) == 2


def test_what_is_not_of_the_file_is_looked_at_each_time(file: Path, checks: list[bytes]) -> None:
    """Whether a handler is there, what it takes, and where the file says so: no matter of the cache."""
    name = f"own_{file.parent.parent.name}".replace("-", "_")
    file.write_text(f"jobs:\n  a:\n    stages:\n      - one: {{handler: {name}.work, params: {{depth: 1}}}}\n")
    broken = load(file).job("a")
    assert broken is not None
    assert (broken.broken or "").endswith("jobs.yaml:4")
    module = "from engine.contracts.seam import accepts\n\n\n@accepts('width')\nasync def work(ctx):\n    return {}\n"
    (file.parent / f"{name}.py").write_text(module)
    with pytest.raises(ConfigError, match="has no param `depth`"):
        load(file)
    assert len(checks) == 1


def test_cache_is_private(file: Path) -> None:
    load(file)
    assert cache_of(file).stat().st_mode & 0o777 == 0o600
    assert cache_of(file).parent.stat().st_mode & 0o777 == 0o700
    assert kept.load(cache_of(file)) is not None


def test_cache_that_cannot_be_written_stops_nothing(file: Path, checks: list[bytes]) -> None:
    (file.parent.parent / "cache").write_text("in the way")
    assert load(file) == load(file)
    assert len(checks) == 2
