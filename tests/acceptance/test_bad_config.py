"""A jobs.yaml that cannot be used: every problem at once, with file, line and key, and nothing is started."""

from __future__ import annotations

import pytest

from tests.acceptance.command_line import Rivus

MINE = """\
async def work(ctx):
    return {}


async def nothing():
    return {}


def broken_inside(ctx):
    return {}
"""

UNUSABLE: dict[str, tuple[str | bytes, list[str]]] = {
    "broken YAML": ("jobs:\n  a: [1\n", ["jobs.yaml:3: is not YAML"]),
    "not text": (b"\xff\xfe\x00", ["jobs.yaml:1: is not UTF-8 text"]),
    "empty": ("", ["jobs.yaml: is empty"]),
    "a list": ("- a\n- b\n", ["jobs.yaml:1: must start with keys"]),
    "unknown keys": (
        "jobs:\n  a:\n    handlr: mine.work\n    handler: mine.work\n    stages:\n      - read: {timout: 3s}\n",
        [
            "jobs.yaml:3: jobs.a.handlr: is not a key here; did you mean `handler`?",
            "jobs.yaml:6: jobs.a.stages.read.timout: is not a key here; did you mean `timeout`?",
            "2 problems; nothing was started",
        ],
    ),
    "circle": (
        "jobs:\n  a:\n    handler: mine.work\n    stages:\n      - x: {after: y}\n      - y: {after: x}\n",
        ["jobs.yaml:5: jobs.a.stages.x.after: stages wait for each other in a circle: x → y → x"],
    ),
    "missing unit": (
        "jobs:\n  a:\n    handler: mine.work\n    stages:\n      - x: {timeout: 10}\n",
        ["jobs.yaml:5: jobs.a.stages.x.timeout", "10m"],
    ),
    "unknown stage": (
        "jobs:\n  a:\n    handler: mine.work\n    stages:\n      - read\n      - x: {after: raed}\n",
        ["jobs.yaml:6: jobs.a.stages.x.after: there is no stage `raed`; did you mean `read`?"],
    ),
}

UNRESOLVED = {
    "no module": ("other.work", ["`other.work`: there is no module `other`", "jobs.yaml:3"]),
    "no function": ("mine.wrok", ["`mine` has no `wrok`", "mine.work", "jobs.yaml:3"]),
    "wrong signature": ("mine.nothing", ["must take exactly one required argument, the context", "mine.py:5"]),
    "does not import": ("torn.work", ["`torn.work` does not import: SyntaxError", "torn.py:1", "jobs.yaml:3"]),
}


@pytest.mark.parametrize(("text", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_file_starts_nothing(rivus: Rivus, text: str | bytes, words: list[str]) -> None:
    rivus.write({"jobs.yaml": text, "mine.py": MINE})
    rivus("run", "a", "--once", code=None).refused(2, *words)
    assert not rivus.state.exists()


@pytest.mark.parametrize("verb", [("--serve",), ("config", "check"), ("check", "run"), ("items", "retry", "a", "x")])
def test_every_way_in_says_the_same(rivus: Rivus, verb: tuple[str, ...]) -> None:
    rivus.write({"jobs.yaml": "jobs:\n  a:\n    handlr: mine.work\n"})
    rivus(*verb, code=None).refused(2, "jobs.yaml:3: jobs.a.handlr: is not a key here; did you mean `handler`?")


def test_problems_as_json_name_line_and_key(rivus: Rivus) -> None:
    text = UNUSABLE["unknown keys"][0]
    rivus.write({"jobs.yaml": text, "mine.py": MINE})
    told = rivus("config", "check", "--json", code=2).objects
    assert [(problem["line"], problem["key"]) for problem in told] == [
        (3, "jobs.a.handlr"),
        (6, "jobs.a.stages.read.timout"),
    ]


@pytest.mark.parametrize(("handler", "words"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_job_with_a_bad_handler_is_broken_and_the_others_run(rivus: Rivus, handler: str, words: list[str]) -> None:
    text = f"jobs:\n  a:\n    handler: {handler}\n  b:\n    handler: mine.work\n"
    rivus.write({"jobs.yaml": text, "mine.py": MINE, "torn.py": "def work(ctx:\n"})
    rivus("run", "a", "--once", code=None).refused(2, "job a is broken", *words)
    rivus("config", "check", code=None).refused(2, *words)
    assert rivus("run", "b", "--once", "--json").object["job"] == "b"
    states = {job["job"]: job["state"] for job in rivus("jobs", "list", "--json").objects}
    assert states == {"a": "broken", "b": "active"}


def test_config_that_is_not_there_is_named(rivus: Rivus) -> None:
    rivus("--config", "other.yaml", "status", code=None).refused(2, "other.yaml: there is no such file (--config)")


def test_mended_file_finds_its_items_again(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    before = letters.items()
    good = (letters.root / "jobs.yaml").read_text()
    letters.write({"jobs.yaml": good.replace("stages:", "stagse:")})
    letters("run", "letters", "--once", code=None).refused(2, "did you mean `stages`?")
    assert letters.items() == before
    letters.write({"jobs.yaml": good})
    assert letters("run", "letters", "--once", "--json", code=1).object["new"] == 0
