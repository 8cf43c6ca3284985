"""Values with a unit, as people write them in jobs.yaml."""

from __future__ import annotations

import re
from typing import Final

SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
DURATION_PATTERN: Final = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d|w)$"
RATE_PATTERN: Final = r"^([0-9]+(?:\.[0-9]+)?)/([0-9]+)?(s|m|h|d|w)$"
MONEY_PATTERN: Final = r"^([0-9]{1,7}(?:\.[0-9]{1,6})?) ?USD$"
SIZE_PATTERN: Final = r"^([0-9]{1,6}(?:\.[0-9]{1,3})?) ?(MB|GB)$"
MAX_DURATION_S: Final = 10 * 365 * 86_400.0
"""Ten years: longer is a slip, and sums of times stay far from any limit."""

_DURATION: Final = re.compile(DURATION_PATTERN, re.ASCII)
_RATE: Final = re.compile(RATE_PATTERN, re.ASCII)
_RATE_EXAMPLES: Final = "such as `2/s`, `60/h` or `5/10m`"
_SIZE: Final = re.compile(SIZE_PATTERN, re.ASCII)
_SIZES: Final = {"MB": 1_000_000, "GB": 1_000_000_000}
_MONEY: Final = re.compile(MONEY_PATTERN, re.ASCII)
_EXAMPLES: Final = "such as `500ms`, `30s`, `10m`, `1h`, `2d` or `1w`"


def parse_rate(text: str) -> tuple[float, float]:
    """Return (count, seconds) of a rate such as `60/h` or `5/10m`; ValueError shows how it is written."""
    match = _RATE.fullmatch(text.replace(" ", ""))
    if match is None or not float(match[1]):
        raise ValueError(f"needs a rate, {_RATE_EXAMPLES}")
    return float(match[1]), float(match[2] or 1) * SECONDS[match[3]]


def parse_money(text: str) -> int:
    """Return micro-dollars of an amount such as `5 USD` or `0.02 USD`; ValueError shows how it is written."""
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError("needs an amount of money, such as `5 USD` or `0.02 USD`")
    return round(float(match[1]) * 1_000_000)


def parse_size(text: str) -> int:
    """Return bytes of a size such as `500 MB` or `2 GB`; ValueError shows how it is written."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("needs a size, such as `500 MB` or `2 GB`")
    return round(float(match[1]) * _SIZES[match[2]])


def parse_duration(text: str) -> float:
    """Return seconds; ValueError says what is wrong and shows how it is written."""
    if not _DURATION.fullmatch(text):
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII):
            raise ValueError(f"needs a unit, {_EXAMPLES}")
        raise ValueError(f"needs a duration, {_EXAMPLES}")
    number = text.rstrip("mshdw")
    seconds = float(number) * SECONDS[text[len(number) :]]
    if seconds > MAX_DURATION_S:
        raise ValueError("is longer than ten years")
    return seconds
