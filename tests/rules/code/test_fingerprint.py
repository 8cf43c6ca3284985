"""The fingerprint of a stage: what it is made of, and that it is the same on every Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.rules.code.fingerprint import Fingerprint, NoSuchSymbol, fingerprint, version
from engine.rules.code.module import Source
from engine.rules.code.project import Project
from engine.rules.code.reading import Reading
from tests.rules.code.versions import versions

REFERENCE = Path(__file__).parent / "reference.json"
"""Versions of the labelled programs, as every Python makes them. A new scheme number changes them; nothing else may."""


def reading(**modules: str) -> Reading:
    def load(name: str) -> Source | None:
        text = modules.get(name.replace(".", "_"))
        return None if text is None else Source(text=text, path=f"{name}.py")

    return Reading(Project(load))


def names(found: Fingerprint) -> list[str]:
    return [symbol.name for symbol in found.symbols]


def test_versions_are_those_that_other_pythons_make() -> None:
    assert versions() == json.loads(REFERENCE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3.14"])
def test_every_python_at_hand_makes_the_same_versions(name: str) -> None:
    beside = Path(sys.base_prefix).parent.glob(f"*/bin/{name}")  # where version managers keep the others
    for python in dict.fromkeys(filter(None, [shutil.which(name), *map(str, beside)])):
        ran = subprocess.run([python, "-m", "tests.rules.code.versions"], capture_output=True, text=True, timeout=60)
        if ran.returncode == 0:  # a shim may stand for a Python that is not installed
            assert json.loads(ran.stdout) == json.loads(REFERENCE.read_text(encoding="utf-8"))


def test_closure_follows_imports_re_exports_and_values() -> None:
    found = fingerprint(
        reading(
            stage="from lib import parse\nimport tools as t\ndef stage(ctx):\n    return parse(t.BY[ctx])\n",
            lib="from parts import parse\n",
            parts="LIMIT = 3\ndef parse(x):\n    return x[:LIMIT]\ndef other():\n    return 1\n",
            tools="def a(x):\n    return x\nBY = {'a': a}\n",
        ),
        "stage",
        "stage",
    )
    assert sorted(names(found)) == ["BY", "LIMIT", "a", "parse", "stage"]
    assert found.doubts == ()


def test_version_is_that_of_the_whole_fingerprint() -> None:
    source = reading(stage="K = 1\ndef stage(ctx):\n    return K\n")
    assert version(source, "stage", "stage") == fingerprint(source, "stage", "stage").version


def test_class_is_taken_whole_with_its_bases_and_methods_by_themselves() -> None:
    text = "class A:\n    def f(self): return 1\nclass B(A):\n    K = 2\n    def g(self):\n        return self.K\n"
    found = fingerprint(reading(stage=f"{text}def stage(ctx):\n    return B().g()\n"), "stage", "stage")
    assert sorted(names(found)) == ["A", "A.f", "B", "B.g", "stage"]
    header = found.by_name()["B"].source
    assert "K = 2" in header
    assert "return self.K" not in header


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("exec(ctx)", "exec"),
        ("getattr(ctx, name)", "getattr"),
        ("globals()['f']()", "globals"),
        ("importlib.import_module(ctx)", "import_module"),
    ],
)
def test_what_cannot_be_seen_is_said(line: str, why: str) -> None:
    found = fingerprint(reading(stage=f"import importlib\ndef stage(ctx):\n    {line}\n"), "stage", "stage")
    assert any(why in doubt for doubt in found.doubts)


def test_star_import_of_another_package_is_a_doubt_only_for_names_it_may_bind() -> None:
    found = fingerprint(reading(stage="from lib import *\ndef stage(ctx):\n    return f(ctx)\n"), "stage", "stage")
    assert found.doubts == ("`from lib import *` may bind f",)


def test_function_that_is_not_there_says_so() -> None:
    with pytest.raises(NoSuchSymbol, match="has no `other`"):
        fingerprint(reading(stage="def stage(ctx): pass\n"), "stage", "other")
    with pytest.raises(NoSuchSymbol, match="cannot be read as Python"):
        fingerprint(reading(stage="def stage(:\n"), "stage", "stage")


def test_bare_name_stands_for_the_class_or_factory_that_alone_defines_it() -> None:
    text = "class Job:\n    def stage(self, ctx):\n        return 1\ndef make():\n    def run(ctx):\n        return 2\n"
    assert names(fingerprint(reading(stage=text), "stage", "stage"))[0] == "Job"
    assert names(fingerprint(reading(stage=text), "stage", "run"))[0] == "make"
    for missing in ("Job.other", "other.stage", "nothing"):
        with pytest.raises(NoSuchSymbol, match=f"has no `{missing}`"):
            fingerprint(reading(stage=text), "stage", missing)


def test_import_inside_a_function_hides_no_names_made_at_run_time() -> None:
    text = (
        "def f_a():\n    return 1\ndef stage(ctx):\n    from importlib import import_module\n"
        "    return getattr(import_module(__name__), ctx)()\n"
    )
    assert "f_a" in names(fingerprint(reading(stage=text), "stage", "stage"))


def test_names_made_at_run_time_take_in_the_whole_module() -> None:
    text = "def f_a():\n    return 1\nclass K:\n    pass\ndef stage(ctx):\n    return globals()['f_' + ctx]()\n"
    assert {"f_a", "K"} <= set(names(fingerprint(reading(stage=text), "stage", "stage")))
    module = {
        "stage": "import lib\ndef stage(ctx):\n    return getattr(lib, ctx)()\n",
        "lib": "def f_b():\n    return 1\n",
    }
    assert "f_b" in names(fingerprint(reading(**module), "stage", "stage"))


def calls(symbols: int) -> int:
    """Return how many functions are called for a closure of so many symbols in one module, each with a log line."""
    text = "import logging\nlog = logging.getLogger(__name__)\n"
    for n in range(symbols):
        text += f"def f{n}(x):\n    y = f{n + 1}(x)\n    log.info('at %s', y)\n"
        text += f"    if not y:\n        raise ValueError('{n}')\n    return y\n"
    source = reading(stage=f"{text}def f{symbols}(x):\n    return x\n")
    count = 0

    def counting(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counting)
    try:
        fingerprint(source, "stage", "f0")
    finally:
        sys.setprofile(None)
    return count


def test_time_grows_with_the_code_and_not_with_its_square() -> None:
    assert calls(80) < calls(40) * 2.3


def test_source_of_a_symbol_is_cut_where_python_counts_lines() -> None:
    text = "A = 'a\x0cb\u2028c'\r\nB = 2\r\ndef stage(ctx):\r\n    return A, B\r\n"
    found = fingerprint(reading(stage=text), "stage", "stage")
    assert found.by_name()["stage"].source == "def stage(ctx):\n    return A, B"
