"""Sets of numbers as text: short, and nothing else is taken for one."""

from __future__ import annotations

import base64
import random
import zlib

import pytest

from engine.rules.id_set import IDS_MAX, pack, unpack


def packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode())).decode()


@pytest.mark.parametrize("ids", [[], [1], [7, 8, 9], [1, 3, 4, 5, 900, 901, 2**40], list(range(1, 5000, 2))])
def test_numbers_come_back(ids: list[int]) -> None:
    assert unpack(pack(reversed(ids))) == ids


def test_order_and_repetition_mean_nothing() -> None:
    assert pack([3, 1, 2, 3]) == pack([1, 2, 3])


def test_a_tenth_of_all_items_fits_into_one_message() -> None:
    ids = random.Random(1).sample(range(1, 300_000), 30_000)
    assert len(pack(ids)) < 60_000
    assert unpack(pack(ids)) == sorted(ids)


@pytest.mark.parametrize("text", ["", "x", "eJw=", pack([1, 2])[:-8]])
def test_what_is_not_packed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="set"):
        unpack(text)


@pytest.mark.parametrize("text", ["1,x", "-5", "0", "1+-3", "9" * 30, f"1+{IDS_MAX}", " " * 20_000_000])
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="set"):
        unpack(packed(text))
