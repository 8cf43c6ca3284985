"""Frames: whole objects out of bytes in any pieces, and a plain no to everything else."""

from __future__ import annotations

import contextlib
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kit.frames import FrameError, Frames, encode

VALUES = st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.integers(), st.text(max_size=20)), max_size=4)


def framed(raw: bytes) -> bytes:
    return struct.pack(">I", len(raw)) + raw


@given(st.lists(VALUES, max_size=5), st.integers(1, 40))
def test_objects_come_out_as_they_went_in_whatever_the_pieces(values: list[dict[str, Any]], piece: int) -> None:
    raw = b"".join(map(encode, values))
    frames = Frames(1 << 20)
    found = [one for at in range(0, len(raw), piece) for one in frames.feed(raw[at : at + piece])]
    assert found == values
    assert not frames.begun


@given(st.binary(max_size=200))
def test_any_bytes_are_objects_or_a_frame_error(raw: bytes) -> None:
    frames = Frames(100)
    with contextlib.suppress(FrameError):
        assert all(isinstance(one, dict) for one in frames.feed(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"\xff\xfe",
        b"[" * 90_000,
        b'{"a":' * 20_000,
        b"1" * 5_000,
    ],
)
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(FrameError):
        list(Frames(1 << 20).feed(framed(raw)))


def test_a_frame_that_is_too_long_is_refused_by_its_length() -> None:
    frames = Frames(10)
    with pytest.raises(FrameError, match="11 bytes"):
        list(frames.feed(struct.pack(">I", 11)))


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": object()}, {"a": "x" * 100}])
def test_what_cannot_go_is_said_before_it_goes(value: dict[str, Any]) -> None:
    with pytest.raises(FrameError):
        encode(value, 50)
