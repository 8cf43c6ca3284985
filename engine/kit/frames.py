"""Messages over a byte stream: four bytes of length (big endian), then one JSON object in UTF-8.

Both ends use `Frames`: it takes bytes as they come, in pieces of any size, and gives whole objects. What is not a frame
is a `FrameError`, after which the stream is of no use.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

LENGTH: Final = struct.Struct(">I")
REQUEST_MAX: Final = 1 << 20
"""Bytes of a request: 1 MiB."""
ANSWER_MAX: Final = 1 << 26
"""Bytes of an answer, which names every key that a bulk command has changed: 64 MiB."""


class FrameError(Exception):
    """The bytes are not a frame."""


def encode(value: Mapping[str, Any], limit: int = ANSWER_MAX) -> bytes:
    """Return a frame; FrameError when it is longer than `limit`, or no JSON."""
    try:
        raw = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from error
    return framed(raw, limit)


def framed(raw: bytes, limit: int) -> bytes:
    """Return a frame around an object that is encoded already; FrameError when it is longer than `limit`."""
    if len(raw) > limit:
        raise FrameError(f"{len(raw):,} bytes; at most {limit:,} go into one message")
    return LENGTH.pack(len(raw)) + raw


class Frames:
    """Bytes in, objects out."""

    def __init__(self, limit: int) -> None:
        """`limit`: bytes of one frame, at most; a longer one is refused by its length, before it is read."""
        self._limit = limit
        self._rest = bytearray()

    @property
    def begun(self) -> bool:
        """Whether a frame has come in part."""
        return bool(self._rest)

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take bytes; yields each object that is complete with them. FrameError for what is not a frame."""
        self._rest += data
        while len(self._rest) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._rest)
            if length > self._limit:
                raise FrameError(f"a message of {length:,} bytes; at most {self._limit:,} are taken")
            end = LENGTH.size + length
            if len(self._rest) < end:
                return
            raw = bytes(self._rest[LENGTH.size : end])
            del self._rest[:end]
            yield _decode(raw)


def _decode(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise FrameError("not an object")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
