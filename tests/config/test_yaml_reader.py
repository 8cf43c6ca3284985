from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config.document import MAX_BYTES, Document, Unreadable
from engine.config.yaml_reader import MAX_DEPTH, parse_yaml, read_yaml


def flaws(text: str | bytes) -> list[tuple[int | None, str]]:
    raw = text.encode() if isinstance(text, str) else text
    try:
        found = parse_yaml(raw).flaws
    except Unreadable as error:
        found = error.flaws
    return [(flaw.line, flaw.message) for flaw in found]


def flaw(text: str | bytes) -> tuple[int | None, str]:
    found = flaws(text)
    assert len(found) == 1, found
    return found[0]


def test_values_are_plain_python() -> None:
    document = parse_yaml(b"a: [1, -2, 1.5, true, null, ~, text, '1', \"x\"]\nb:\n  c: |\n    two\n    lines\n")
    assert document.value == {
        "a": [1, -2, 1.5, True, None, None, "text", "1", "x"],
        "b": {"c": "two\nlines\n"},
    }
    assert document.flaws == ()


def test_every_value_has_its_line() -> None:
    document = parse_yaml(b"a: 1\nb:\n  - x\n  - y: 2\n    z: 3\n")
    assert document.line(("a",)) == 1
    assert document.line(("b", 0)) == 3
    assert document.line(("b", 1, "z")) == 5


def test_line_of_what_is_not_there_is_that_of_what_is_around_it() -> None:
    document = parse_yaml(b"a:\n  b: 1\n")
    assert document.line(("a", "missing", "deep")) == 1


def test_byte_order_mark_is_no_content() -> None:
    assert parse_yaml(b"\xef\xbb\xbfa: 1\n").value == {"a": 1}


def test_empty_file_is_null() -> None:
    assert parse_yaml(b"").value is None
    assert parse_yaml(b"# only a comment\n").value is None


@pytest.mark.parametrize("word", ["no", "No", "NO", "yes", "on", "Off"])
def test_words_that_some_readers_take_for_booleans_are_refused(word: str) -> None:
    line, message = flaw(f"a: 1\nb: {word}\n")
    assert line == 2
    assert f"`{word}` means" in message
    assert f"`'{word}'`" in message


@pytest.mark.parametrize("number", ["010", "0o17", "0x1F", "0b1", "1:30", "190:20:30", "1_000", "12e03_"])
def test_numbers_that_readers_disagree_on_are_refused_or_text(number: str) -> None:
    document = parse_yaml(f"a: {number}\n".encode())
    assert document.flaws or document.value == {"a": number}


def test_number_with_leading_zero_is_refused_with_its_line() -> None:
    line, message = flaw("a: 1\nb: 010\n")
    assert line == 2
    assert "different numbers" in message


@pytest.mark.parametrize("text", ["'no'", '"010"', "'1:30'"])
def test_quoted_words_are_text(text: str) -> None:
    assert parse_yaml(f"a: {text}\n".encode()).value == {"a": text[1:-1]}


def test_keys_are_always_text() -> None:
    assert parse_yaml(b"no: 1\n1: 2\ntrue: 3\n").value == {"no": 1, "1": 2, "true": 3}


def test_dates_are_text() -> None:
    assert parse_yaml(b"a: 2026-01-31\n").value == {"a": "2026-01-31"}


@pytest.mark.parametrize("number", [".inf", "-.inf", ".NaN", "1e999", "9" * 5000])
def test_numbers_without_a_finite_value_are_refused(number: str) -> None:
    line, message = flaw(f"a: {number}\n")
    assert line == 1
    assert message in (f"`{number}` is not a finite number", "the number is too large")


def test_duplicate_key_is_refused_and_names_both_lines() -> None:
    assert flaw("a: 1\nb: 2\na: 3\n") == (3, "stands here twice; first in line 1")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: &x 1\n", "anchor"),
        ("a: *x\n", "alias"),
        ("a: !!python/object:os.system x\n", "tag"),
        ("a: !x [1]\n", "tag"),
        ("<<: {a: 1}\n", "merges"),
        ("? [1, 2]\n: 3\n", "not text"),
        ("'': 1\n", "empty"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ('a: "\\ud800"\n', "surrogate"),
    ],
)
def test_what_makes_a_file_mean_more_than_it_shows_is_refused(text: str, word: str) -> None:
    assert word in flaw(text)[1]


def test_several_flaws_are_found_at_once() -> None:
    assert [line for line, _ in flaws("a: no\nb: &x 1\nc: 010\n")] == [1, 2, 3]


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- "])
def test_deep_nesting_is_refused(opening: bytes) -> None:
    line, message = flaw(opening * 50_000)
    assert line == 1
    assert f"deeper than {MAX_DEPTH}" in message


def test_nesting_is_read_up_to_the_limit() -> None:
    assert parse_yaml(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH).flaws == ()
    with pytest.raises(Unreadable):
        parse_yaml(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b"".join(b"k%06d: 1\n" % index for index in range(23_000)),
        b"[" + b"1," * 120_000 + b"]",
        b"a: " + b"x\n " * 80_000,
        b"a: |\n" + b" x\n" * 80_000,
        b"{" + b"a," * 120_000 + b"}",
        b"a: &a [1]\n" + b"b: *a\n" * 30_000,
    ],
)
def test_hostile_file_is_judged_quickly(raw: bytes) -> None:
    start = time.process_time()
    flaws(raw)
    assert time.process_time() - start < 2.0  # ten times what it takes on a small machine


@pytest.mark.parametrize(
    ("raw", "line", "word"),
    [
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        (b"a: 1\nb: \x00\n", 2, "U+0000"),
        (b"a: 1\nb: [1, 2", 2, "not YAML"),
        (b"a: b: c\n", 1, "not YAML"),
        (b"a: 1\n\tb: 2\n", 2, "not YAML"),
        (b"a: 'open\n", 2, "not YAML"),
    ],
)
def test_what_is_no_yaml_says_where(raw: bytes, line: int, word: str) -> None:
    where, message = flaw(raw)
    assert word in message
    assert where == line


@given(st.binary(max_size=400))
def test_any_bytes_are_a_document_or_a_typed_error(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert isinstance(parse_yaml(raw), Document)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#,?%@` \n\t0.~<", max_size=60))
def test_any_text_of_yaml_signs_is_a_document_or_a_typed_error(text: str) -> None:
    with contextlib.suppress(Unreadable):
        assert isinstance(parse_yaml(text.encode()), Document)


def unreadable(path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        read_yaml(path)
    assert [flaw.line for flaw in caught.value.flaws] == [None]
    return caught.value.flaws[0].message


def test_missing_file_says_so(tmp_path: Path) -> None:
    assert unreadable(tmp_path / "jobs.yaml") == "cannot be read: no such file or directory"


def test_folder_is_not_read(tmp_path: Path) -> None:
    assert unreadable(tmp_path) == "is not a regular file"


def test_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "jobs.yaml")
    assert unreadable(tmp_path / "jobs.yaml") == "is not a regular file"


def test_link_that_leads_to_itself_says_so(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").symlink_to("jobs.yaml")
    assert "symbolic links" in unreadable(tmp_path / "jobs.yaml")


def test_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "jobs.yaml").open("wb") as file:
        file.truncate(5_000_000_000)
    assert unreadable(tmp_path / "jobs.yaml") == f"is larger than {MAX_BYTES // 1024} KiB"


def test_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("a: 1\n")
    (tmp_path / "jobs.yaml").symlink_to("real.yaml")
    assert read_yaml(tmp_path / "jobs.yaml").value == {"a": 1}
