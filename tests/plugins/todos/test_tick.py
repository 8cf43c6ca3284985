"""A box is ticked where its TODO stands, byte by byte, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.todos.tick import tick


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"- [ ] one\n- [ ] two\n", b"- [ ] one\n- [x] two\n"),
        (b"\xef\xbb\xbf1. [ ] one\r\n2. [ ] two\r\n", b"\xef\xbb\xbf1. [ ] one\r\n2. [x] two\r\n"),
        (b"- [ ] one\n\t- [ ] two\n\t\t- [ ] three", b"- [ ] one\n\t- [x] two\n\t\t- [ ] three"),
        (b"> * [ ] caf\xe9\n> * [ ] two\n", b"> * [ ] caf\xe9\n> * [x] two\n"),
        (b"# To do\r\rOld lines\r\n- [ ] two\n- [ ] three\n- [ ] four\n- [ ] five\n", None),
        (b"- [ ] one\n- two\n", None),
    ],
    ids=["plain", "windows", "nested", "latin-1", "lines of an old Mac", "no box"],
)
def test_right_box_is_ticked_or_none(tmp_path: Path, before: bytes, after: bytes | None) -> None:
    file = tmp_path / "TODO.md"
    file.write_bytes(before)
    assert tick(tmp_path, "TODO.md", "two", 2) is (after is not None)
    assert file.read_bytes() == (after if after is not None else before)
