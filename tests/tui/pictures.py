"""Compare what the app draws with pictures in the repository: text frames for most states, SVG for the README.

`RIVUS_UPDATE_PICTURES=1` writes them anew, on Python 3.11 only; a mismatch leaves `NAME.actual` beside the picture.
"""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console
from textual.app import App

ROOT: Final = Path(__file__).parents[2]
FRAMES: Final = Path(__file__).parent / "frames"
SCREENSHOTS: Final = ROOT / "screenshots"
_UPDATE: Final = "RIVUS_UPDATE_PICTURES"


def _recorded(app: App[Any]) -> Console:
    width, height = app.size
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    # The compositor is Textual's own; its screenshot goes the same way, and offers no text.
    console.print(app.screen._compositor.render_update(full=True, screen_stack=app._background_screens))
    return console


def frame(app: App[Any]) -> str:
    """Return the screen as text, without blanks at the ends of lines."""
    text = _recorded(app).export_text(styles=False)
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip() + "\n"


def svg(app: App[Any]) -> str:
    """Return the screen as SVG with stable ids and without fonts from the network."""
    picture = _recorded(app).export_svg(title="rivus", unique_id="rivus")
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)


def check_frame(app: App[Any], name: str) -> None:
    """Compare the screen's text with tests/tui/frames/NAME.txt."""
    _check(frame(app), FRAMES / f"{name}.txt")


def check_svg(app: App[Any], name: str) -> None:
    """Compare the screen with screenshots/NAME.svg."""
    _check(svg(app), SCREENSHOTS / f"{name}.svg")


def _check(actual: str, path: Path) -> None:
    rest = path.with_name(path.name + ".actual")
    if os.environ.get(_UPDATE) == "1":
        assert sys.version_info[:2] == (3, 11), "pictures are drawn on Python 3.11"
        path.parent.mkdir(exist_ok=True)
        path.write_text(actual, encoding="utf-8", newline="\n")
        rest.unlink(missing_ok=True)
        return
    expected = path.read_text(encoding="utf-8") if path.is_file() else ""
    if actual == expected:
        rest.unlink(missing_ok=True)
        return
    rest.write_text(actual, encoding="utf-8", newline="\n")
    shown = f"\n{actual}" if path.suffix == ".txt" else ""
    pytest.fail(f"{path.name} differs from what is drawn now; see {rest.name}, or set {_UPDATE}=1{shown}")
