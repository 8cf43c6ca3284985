"""Pasted text is one event with text in it, whatever it holds and however it arrives."""

from __future__ import annotations

import itertools

from hypothesis import assume, given
from hypothesis import strategies as st
from textual import events

from rivus_tui.paste import END, START, GuardedParser, PasteGuard

EVIL = "\x1b]0;PWNED\x07\x1b]52;c;ZXZpbA==\x07axq\x1b[31m\x1b\x9b2Jq\r\n"


def parsed(*pieces: str) -> tuple[list[str], list[str]]:
    """Return the keys and the pastes that input means."""
    parser = GuardedParser()
    found = [event for piece in pieces for event in parser.feed(piece)]
    keys = [event.key for event in found if isinstance(event, events.Key)]
    return keys, [event.text for event in found if isinstance(event, events.Paste)]


def test_escape_sequences_in_a_paste_are_no_keys() -> None:
    keys, pastes = parsed(f"j{START}{EVIL}{END}k")
    assert keys == ["j", "k"]
    assert pastes == ["]0;PWNED]52;c;ZXZpbA==axq[31m2Jq\r\n"]


def test_end_mark_inside_a_paste_does_not_end_it() -> None:
    keys, pastes = parsed(f"{START}one{END}axq{END}j")
    assert keys == ["j"]
    assert pastes == ["oneaxq"]


def test_two_pastes_in_one_piece_are_two() -> None:
    assert parsed(f"{START}one{END}j{START}two{END}") == (["j"], ["one", "two"])


def test_typed_keys_pass_as_they_are() -> None:
    assert parsed("\x1b[A", "j", "\x1b[200", "~x", END) == (["up", "j"], ["x"])


@given(text=st.text(st.sampled_from([*"ax\x1b[]201~;\n", "é"]), max_size=30), cuts=st.lists(st.integers(0, 60)))
def test_any_cut_gives_the_same_text_and_no_key(text: str, cuts: list[int]) -> None:
    assume(END not in text and START not in text)
    whole = f"{START}{text}{END}"
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    guard = PasteGuard()
    passed = "".join(guard.clean(whole[start:end]) for start, end in itertools.pairwise(places))
    assert passed == f"{START}{text.replace(chr(27), '')}{END}"
