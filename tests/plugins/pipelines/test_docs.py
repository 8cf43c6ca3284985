"""The stages of the job `docs` on real files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.outcome import Fail, Skip
from engine.kit.trial import TrialContext, TrialItem
from plugins.pipelines.docs import index, outline, read

GUIDE = """---
title: The guide
tags: [a]
---
# Guide to sailing

![badge](badge.svg)

Sailing boats move by the wind alone. A sailing boat needs a keel. It also needs a crew.

## Knots

- [x] bowline
- [ ] reef knot

See [the knots](knots.md#bowline), [gone](gone.md) and [the site](https://example.org/a.md).

```python
# not a heading
tie()
```

| Knot | Use |
| --- | --- |
| bowline | `loop` |
"""


def context(root: Path, path: str, upstream: dict[str, Any] | None = None, **params: Any) -> TrialContext:
    return TrialContext(
        root=root, item=TrialItem(key=path, data={"path": path}), upstream=upstream or {}, params=params
    )


def all_stages(root: Path, path: str) -> dict[str, dict[str, Any]]:
    done: dict[str, dict[str, Any]] = {}
    for name, stage in (("read", read), ("outline", outline), ("index", index)):
        output = stage(context(root, path, done))
        assert isinstance(output, dict), output
        json.dumps(output)
        done[name] = output
    return done


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


def test_document_is_measured(tmp_path: Path) -> None:
    put(tmp_path, "guide.md", GUIDE)
    output = all_stages(tmp_path, "guide.md")["read"]
    assert output["title"] == "The guide"
    assert output["lines"] == GUIDE.count("\n")
    assert output["chars"] == output["bytes"] == len(GUIDE)
    assert len(output["sha256"]) == 64
    assert ["Lines", str(output["lines"])] in output["facts"]


def test_outline_has_what_stands_in_the_document(tmp_path: Path) -> None:
    put(tmp_path, "guide.md", GUIDE)
    output = all_stages(tmp_path, "guide.md")["outline"]
    assert [(one["level"], one["text"], one["line"]) for one in output["headings"]] == [
        (1, "Guide to sailing", 5),
        (2, "Knots", 11),
    ]
    assert [one["target"] for one in output["links"]] == ["knots.md#bowline", "gone.md", "https://example.org/a.md"]
    assert output["images"] == [{"target": "badge.svg", "line": 7}]
    assert output["code_blocks"] == [{"language": "python", "line": 18, "lines": 2}]
    assert output["tasks"] == {"open": 1, "done": 1}
    assert output["front_matter"] == ["title", "tags"]


def test_index_says_what_it_is_about_and_what_it_leads_to(tmp_path: Path) -> None:
    put(tmp_path, "docs/guide.md", GUIDE)
    put(tmp_path, "docs/knots.md", "# Knots\n")
    output = all_stages(tmp_path, "docs/guide.md")["index"]
    assert output["summary"].startswith("Sailing boats move by the wind alone.")
    assert "sailing" in [term for term, _ in output["terms"]][:4]
    assert output["documents"] == [
        {"path": "docs/gone.md", "exists": False},
        {"path": "docs/knots.md", "exists": True},
    ]
    assert output["reading_minutes"] == 1


def test_same_document_gives_the_same_output(tmp_path: Path) -> None:
    put(tmp_path, "guide.md", GUIDE)
    assert all_stages(tmp_path, "guide.md") == all_stages(tmp_path, "guide.md")


def test_rst_is_read_by_its_lines(tmp_path: Path) -> None:
    text = (
        "=====\nTitle\n=====\n\nA first paragraph with :ref:`a label <x>` and ``code`` in it.\n\nPart\n----\n\n"
        ".. code-block:: python\n   :linenos:\n\n   one()\n   two()\n\nSee :doc:`other` and `here <https://example.org>`_.\n"
    )
    put(tmp_path, "a.rst", text)
    put(tmp_path, "other.rst", "Other\n=====\n")
    done = all_stages(tmp_path, "a.rst")
    assert done["read"]["title"] == "Title"
    assert [(one["level"], one["text"]) for one in done["outline"]["headings"]] == [(1, "Title"), (2, "Part")]
    assert done["outline"]["code_blocks"] == [{"language": "python", "line": 10, "lines": 2}]
    assert done["index"]["documents"] == [{"path": "other.rst", "exists": True}]
    assert done["index"]["summary"] == "A first paragraph with a label and code in it."


def test_plain_text_without_a_title_has_its_name(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt", "just a line about https://example.org/x.\n")
    done = all_stages(tmp_path, "notes.txt")
    assert done["read"]["title"] == "notes.txt"
    assert [one["target"] for one in done["outline"]["links"]] == ["https://example.org/x"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The boat is in the harbour and it will not leave until the wind has turned to the east. " * 3, "en"),
        ("Das Boot liegt im Hafen und es wird nicht auslaufen, bis der Wind nach Osten dreht. " * 3, "de"),
        ("config yaml port host key value " * 10, None),
        ("The boat.", None),
    ],
)
def test_language_is_said_only_when_there_is_no_doubt(tmp_path: Path, text: str, language: str | None) -> None:
    put(tmp_path, "a.txt", text)
    output = read(context(tmp_path, "a.txt"))
    assert isinstance(output, dict)
    assert output["language"] == language


@pytest.mark.parametrize(
    ("raw", "why"), [(b"", "empty"), (b" \n\n", "empty"), (b"a\0b", "binary"), (b"x" * 20, "larger than 10 bytes")]
)
def test_file_with_nothing_to_read_is_skipped(tmp_path: Path, raw: bytes, why: str) -> None:
    (tmp_path / "a.md").write_bytes(raw)
    outcome = read(context(tmp_path, "a.md", max_bytes=10))
    assert isinstance(outcome, Skip)
    assert why in outcome.why


def test_vanished_file_is_skipped_at_every_stage(tmp_path: Path) -> None:
    put(tmp_path, "a.md", GUIDE)
    before = read(context(tmp_path, "a.md"))
    assert isinstance(before, dict)
    (tmp_path / "a.md").unlink()
    for stage in (read, outline, index):
        assert stage(context(tmp_path, "a.md", {"read": before})) == Skip(why="the file is gone")


def test_changed_file_waits_for_its_next_discovery(tmp_path: Path) -> None:
    put(tmp_path, "a.md", GUIDE)
    before = read(context(tmp_path, "a.md"))
    assert isinstance(before, dict)
    put(tmp_path, "a.md", GUIDE.replace("Sailing", "Rowings"))
    outcome = outline(context(tmp_path, "a.md", {"read": before}))
    assert isinstance(outcome, Skip)
    assert "changed" in outcome.why


def test_stage_after_a_skipped_read_is_skipped(tmp_path: Path) -> None:
    assert outline(context(tmp_path, "a.md")) == Skip(why="nothing was read")


def test_forbidden_file_fails(tmp_path: Path) -> None:
    put(tmp_path, "a.md", "x")
    tmp_path.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        outcome = read(context(tmp_path, "a.md"))
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)
    assert outcome == Fail(why="permission denied")


def test_path_that_leaves_the_project_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, "secret.md", "secret")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/link.md").symlink_to(tmp_path / "secret.md")
    assert isinstance(read(context(tmp_path / "root", "../secret.md")), Skip)
    assert isinstance(read(context(tmp_path / "root", "link.md")), Skip)


def test_hostile_text_is_clean_in_every_output(tmp_path: Path) -> None:
    put(tmp_path, "a.md", "# A\x1b]52;c;eA==\x07\u202eB\n\n[x\u202e](b\x1b.md) and more words to make it a sentence.\n")
    text = json.dumps(all_stages(tmp_path, "a.md"), ensure_ascii=False)
    assert not {"\x1b", "\x07", "\u202e"}.intersection(text.replace("\\u001b", "\x1b"))


def test_output_of_a_huge_document_stays_small(tmp_path: Path) -> None:
    put(tmp_path, "a.md", "".join(f"# H{n}\n\n[l{n}](p{n}.md)\n\n" for n in range(20_000)))
    for output in all_stages(tmp_path, "a.md").values():
        assert len(json.dumps(output)) < 200_000
