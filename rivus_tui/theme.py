"""Meaning of colours: a role says what a piece of text is, the theme says how that looks.

A state is never told by colour alone: shape and word stand beside it (`rivus_tui.states`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, get_args

from rich.style import Style
from textual.style import Style as VisualStyle
from textual.widget import Widget

Role = Literal["", "strong", "muted", "head", "ok", "run", "wait", "bad"]

ROLE_CLASSES: Final[frozenset[str]] = frozenset(f"role-{role}" for role in get_args(Role) if role)
"""Component classes of every screen; styles.tcss says what they look like."""


def role_style(widget: Widget, role: Role) -> Style:
    """Return what a role adds to text on the widget's screen."""
    # Asked of the screen: a screen has each class once, and styling nodes is most of the time to the first paint.
    return _text_only(widget.screen.get_visual_style(f"role-{role}"))


def class_style(widget: Widget, name: str) -> Style:
    """Return what a component class of the widget adds to text, blended with the background if it is not opaque."""
    return _text_only(widget.get_visual_style(name))


@lru_cache(maxsize=256)
def _text_only(full: VisualStyle) -> Style:
    style = full.rich_style
    return Style(color=style.color, bold=style.bold or None, italic=style.italic or None)
