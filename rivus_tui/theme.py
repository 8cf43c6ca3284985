"""Meaning of colours: a role says what a piece of text is, the theme says how that looks.

A state is never told by colour alone: shape and word stand beside it (`rivus_tui.states`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

from rich.style import Style
from textual.style import Style as VisualStyle
from textual.widget import Widget

Role = Literal["", "strong", "muted", "head", "ok", "run", "wait", "bad"]

COLOURS: Final[Mapping[Role, tuple[str, str]]] = {
    "strong": ("$foreground", "bold"),
    "muted": ("$foreground 60%", ""),
    "head": ("$text-secondary", "bold"),
    "ok": ("$text-success", ""),
    "run": ("$text-primary", "bold"),
    "wait": ("$text-warning", ""),
    "bad": ("$text-error", "bold"),
}
"""Colour (a variable of the theme) and text style of each role; the empty role is plain text."""


def role_style(widget: Widget, name: str) -> Style:
    """Return what a component class adds to text: colour, blended with the background where it is not opaque."""
    return _text_only(widget.get_visual_style(name))


@lru_cache(maxsize=256)
def _text_only(full: VisualStyle) -> Style:
    style = full.rich_style
    return Style(color=style.color, bold=style.bold or None, italic=style.italic or None)


def component_css(widget: str) -> str:
    """Return rules that give `widget` a component class `role-NAME` for each role."""
    rules = []
    for role, (colour, weight) in COLOURS.items():
        style = f" text-style: {weight};" if weight else ""
        rules.append(f"{widget} > .role-{role} {{ color: {colour};{style} }}")
    return "\n".join(rules)
