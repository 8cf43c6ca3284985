"""TODO comments in code as items: found by the language's own rules, followed over edits, still true until removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.contracts.item import Candidate
from plugins.todos.comments import comments_of
from plugins.todos.context import handle as context
from plugins.todos.scan import discover
from plugins.todos.texts import items_of
from plugins.todos.tick import find
from tests.plugins.todos.contexts import PlainContext, PlainDiscovery, PlainItem, known

PYTHON = '''\
text = "# TODO: in a string"
def f():
    """TODO: in a docstring"""
    return 1  # TODO(ann): close the file
    # at the end
    # FIXME
'''


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("a.py", PYTHON, [(4, "close the file"), (6, "FIXME without words")]),
        ("a.py", "x = (  # TODO: before the file breaks off\n", [(1, "before the file breaks off")]),
        ("a.go", 'u := "http://x" // TODO: encode it\n', [(1, "encode it")]),
        ("a.js", "const s = '// TODO: no';\n/* TODO: free it\n * soon\n */\n", [(2, "free it soon")]),
        ("a.sql", "SELECT 1 -- FIXME: index\n", [(1, "index")]),
        ("Makefile", "# TODO - speed up\nall:\n", [(1, "speed up")]),
        ("a.rs", "// TODOS are kept elsewhere\n// a TODO: in the middle\n", []),
        ("a.c", "int i; // todo: lower case is prose\n", []),
        ("a.php", "/**\n * @todo free it\n */\n", [(2, "free it")]),
        ("a.cpp", "/// \\todo free it\n// @FIXME: and this\n", [(1, "free it"), (2, "and this")]),
        ("a.c", "*x = y; // TODO: scale it\n", [(1, "scale it")]),
        ("a.c", "/* one */ f(); /* TODO: two */ g();\n", [(1, "two")]),
        ("a.c", "/* one\n   two */ f(); // TODO: three\n", [(2, "three")]),
        ("a.c", "// It is fast!  TODO: measure it (twice)\n", [(1, "measure it (twice)")]),
        ("a.c", "f(); // the canvas (TODO: in parts)\n", [(1, "in parts")]),
        ("a.c", "//   // TODO: in code that is commented out\n", [(1, "in code that is commented out")]),
        ("a.c", "// TODO. Replace it\nf();\n// TODO.md has the list\ng();\n// XXX-rated\n", [(1, "Replace it")]),
        ("a.rs", "fn f(x: &'a str) -> char { '\"' } // TODO: don't copy\n", [(1, "don't copy")]),
        ("a.sh", '[ $# -lt 1 ] && echo "it\'s" # TODO: usage\n', [(1, "usage")]),
        ("a.el", "(setq x 'y) ; TODO: z\n", [(1, "z")]),
        ("a.html", "<p>TODO: text</p>\n<!-- TODO: mark\n up -->\n", [(2, "mark up")]),
        ("a.lua", "--[[ TODO: one\n two ]]\nlocal x -- FIXME: y\n", [(1, "one two"), (3, "y")]),
        ("a.py", 'print "two"  # TODO: port\nx = $\ny = 1  # TODO: after\n', [(1, "port"), (3, "after")]),
        ("a.go", "// TODO(ann, 2024-01-01): later\r\n", [(1, "later")]),
        ("a.txt", "// TODO: this is no code\n", []),
    ],
)
def test_comments_are_told_from_strings(file: str, text: str, found: list[tuple[int, str]]) -> None:
    assert [(item.line, item.text) for item in comments_of(text, file, file)] == found


def test_who_and_how_urgent_is_taken_along() -> None:
    (item,) = comments_of("# FIXME(@bob): it loses data\n", "a.sh", "a.sh")
    assert (item.tags, item.priority, item.kind) == (("#fixme", "@bob"), 1, "comment")


async def scan(root: Path, *knows: Candidate, **params: object) -> list[Candidate]:
    ctx = PlainDiscovery(root=root, params=params, knows=[known(one) for one in knows])
    return [candidate async for candidate in discover(ctx)]


async def test_scan_takes_comments_when_it_is_told_to_and_follows_them(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("# TODO: mend the upload\nx = 1\n")
    (tmp_path / "TODO.md").write_text("- [ ] Paint\n")
    assert [one.path for one in await scan(tmp_path)] == ["TODO.md"]
    before = await scan(tmp_path, comments=True)
    assert [(one.path, one.title) for one in before] == [("TODO.md", "Paint"), ("a.py", "mend the upload")]
    (tmp_path / "a.py").write_text("import os\n\n\nx = 1\n# TODO: mend the upload soon\n")
    after = await scan(tmp_path, *before, comments=True)
    assert (after[1].key, after[1].line) == (before[1].key, 5)


async def test_what_is_no_text_keeps_no_scan_from_being_whole(tmp_path: Path) -> None:
    (tmp_path / "video.ts").write_bytes(b"G\0TODO: no" * 1_000)
    (tmp_path / "dump.sql").write_text("-- TODO: made by a program\n" * 60_000)
    (tmp_path / "wide.cs").write_bytes("// TODO: of Windows\n".encode("utf-16"))
    ctx = PlainDiscovery(root=tmp_path, params={"comments": True}, knows=[])
    assert [one.title async for one in discover(ctx)] == ["of Windows"]
    assert (ctx.problems, ctx.scopes[-1][1]) == ([], True)
    (tmp_path / "TODO.md").write_bytes(b"\0" * 100)
    again = PlainDiscovery(root=tmp_path, params={"comments": True}, knows=[])
    assert [one.title async for one in discover(again)] == ["of Windows"]
    assert again.scopes[-1][1] is False


async def test_a_comment_is_over_when_it_is_gone_from_the_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1  # TODO: mend it\n")
    assert find(tmp_path, "a.py", "mend it", 9).line == 1
    item = PlainItem(key="k", title="mend it", path="a.py", line=1, data={"text": "mend it", "kind": "comment"})
    done = context(PlainContext(root=tmp_path, artifact_dir=tmp_path, item=item))
    assert done.output["snippet"]["here"] == 1
    (tmp_path / "a.py").write_text("x = 1\n")
    assert find(tmp_path, "a.py", "mend it", 1).state == "not there"


@pytest.mark.parametrize(("style", "found"), [("paragraphs", ["Paint the house"]), ("none", []), ("other", [])])
def test_front_matter_chooses_a_style(style: str, found: list[str]) -> None:
    text = f"---\ntodos: {style}\n---\n\nPaint the house\n"
    assert [item.text for item in items_of(text, "TODO.md")] == found
