"""What an unquoted YAML scalar means: the core schema of YAML 1.2 (chapter 10.3 of its specification).

YAML 1.1, which many tools still speak, reads some words differently: `no` is false there, `010` is 8, `1:30` is 90.
Such a word is refused rather than guessed at: the person quotes it or writes what is meant.
"""

from __future__ import annotations

import re
from typing import Final

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL: Final = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_BOOL_11: Final = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)
_OTHER_BASE: Final = re.compile(r"[-+]?(0[0-9]+|0[box][0-9a-fA-F_]+)", re.ASCII)
_SEXAGESIMAL: Final = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", re.ASCII)
_UNDERSCORES: Final = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?", re.ASCII)
_MAX_INT: Final = 2**63 - 1


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar; ValueError says why it is refused, and what to write instead."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text.lower() in _BOOL_11 and text in (text.lower(), text.upper(), text.capitalize()):
        meant = _BOOL_11[text.lower()]
        raise ValueError(
            f"`{text}` means {meant} to some YAML readers and text to others: write `{meant}` or `'{text}'`"
        )
    if _INT.fullmatch(text):
        return _integer(text)
    if _SEXAGESIMAL.fullmatch(text) or _OTHER_BASE.fullmatch(text) or _UNDERSCORES.fullmatch(text):
        shown = text if len(text) <= 40 else text[:39] + "…"
        raise ValueError(
            f"`{shown}` is read as different numbers by different YAML readers: write a plain decimal or quote it"
        )
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"`{text}` is not a finite number")
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text


def _integer(text: str) -> int:
    value = int(text) if len(text) <= 20 else _MAX_INT + 1
    if abs(value) > _MAX_INT:
        raise ValueError("the number is too large")
    return value


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("the number is too large")
    return value
