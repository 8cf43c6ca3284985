"""The themes of the control room, beside those of Textual. Pure data.

`rivus` and `rivus-light` use few colours: what runs, what waits, what failed. `colour-safe` tells these apart for those
who see no difference between red and green (blue, orange, and bold); the shape before each state says the same.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DEFAULT: Final = "rivus"

THEMES: Final = (
    Theme(
        name="rivus",
        primary="#7aa2d6",
        secondary="#8b97a8",
        accent="#c8a96a",
        foreground="#d3d8df",
        background="#11141a",
        surface="#171b22",
        panel="#1d222b",
        success="#7fb98a",
        warning="#d6a85c",
        error="#e0726c",
        dark=True,
        variables={"block-cursor-text-style": "none"},
    ),
    Theme(
        name="rivus-light",
        primary="#2f5f9e",
        secondary="#5c6675",
        accent="#8a6410",
        foreground="#23272e",
        background="#fbfaf7",
        surface="#f2f0eb",
        panel="#e8e5de",
        success="#2c6e3f",
        warning="#8a5a00",
        error="#b3261e",
        dark=False,
        variables={"block-cursor-text-style": "none"},
    ),
    Theme(
        name="colour-safe",
        primary="#56b4e9",
        secondary="#9aa4b2",
        accent="#f0e442",
        foreground="#dde2e8",
        background="#101318",
        surface="#171b21",
        panel="#1e232b",
        success="#56b4e9",
        warning="#f0e442",
        error="#e69f00",
        dark=True,
        variables={"block-cursor-text-style": "none"},
    ),
)
