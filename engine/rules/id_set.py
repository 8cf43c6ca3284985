"""A set of row numbers as a short text: ranges, compressed, so that hundreds of thousands fit into one message."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable
from typing import Final

IDS_MAX: Final = 1_000_000
"""Numbers in one set, at most."""
_TEXT_MAX: Final = 16 * IDS_MAX


def pack(ids: Iterable[int]) -> str:
    """Return a set of positive numbers as text."""
    parts: list[str] = []
    before = 0
    run: list[int] = []

    def close() -> None:
        nonlocal before
        if run:
            parts.append(f"{run[0] - before}" if len(run) == 1 else f"{run[0] - before}+{run[-1] - run[0]}")
            before = run[-1]

    for number in sorted(set(ids)):
        if run and number == run[-1] + 1:
            run[1:] = [number]
        else:
            close()
            run = [number]
    close()
    return base64.b64encode(zlib.compress(",".join(parts).encode(), 6)).decode()


def unpack(text: str) -> list[int]:
    """Return the numbers, ascending; ValueError for what is no set, or one of more than `IDS_MAX`."""
    try:
        reader = zlib.decompressobj()
        raw = reader.decompress(base64.b64decode(text, validate=True), _TEXT_MAX)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"not a set of numbers: {error}") from None
    if reader.unconsumed_tail or not reader.eof:
        raise ValueError("not a set of numbers: it is cut, or too long")
    ids: list[int] = []
    at = 0
    for part in raw.decode("ascii", "replace").split(",") if raw else ():
        step, _, more = part.partition("+")
        if not step.isdigit() or not (more or "0").isdigit() or not 0 < int(step) < 2**62:
            raise ValueError("not a set of numbers")
        length = int(more or "0") + 1
        if length + len(ids) > IDS_MAX:
            raise ValueError(f"more than {IDS_MAX:,} numbers in a set")
        ids += range(at + int(step), at + int(step) + length)
        at = ids[-1]
    return ids
