"""Copy text, and say honestly where it went: terminals and tmux drop what they do not allow without a word."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Final

from rivus_tui.format import plural

_OSC52_LIMIT: Final = 74_000
"""Bytes that terminals take through the clipboard escape sequence."""
_TIMEOUT_S: Final = 2.0


def tools(environment: Mapping[str, str], platform: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the clipboard programs that can work here, best first: where the text goes, and the command."""
    found: list[tuple[str, tuple[str, ...]]] = []
    if platform == "darwin":
        found.append(("the clipboard", ("pbcopy",)))
    if environment.get("WAYLAND_DISPLAY"):
        found.append(("the clipboard", ("wl-copy",)))
    if environment.get("DISPLAY"):
        found.append(("the clipboard", ("xclip", "-selection", "clipboard")))
    if environment.get("TMUX"):
        found.append(("the tmux buffer (prefix ] pastes)", ("tmux", "load-buffer", "-w", "-")))
    return found


async def copy_text(text: str, by_terminal: Callable[[str], None]) -> str:
    """Copy text with the first program that works, else through the terminal; returns a sentence that says which."""
    for target, command in tools(os.environ, sys.platform):
        if shutil.which(command[0]) and await _feed(command, text.encode()):
            return f"copied {plural(len(text), 'character')} to {target}"
    if len(text.encode()) > _OSC52_LIMIT:
        return f"not copied: {plural(len(text), 'character')} are too many for the terminal's clipboard"
    by_terminal(text)
    return f"sent {plural(len(text), 'character')} to the terminal; it may or may not put them on the clipboard"


async def _feed(command: tuple[str, ...], data: bytes) -> bool:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    assert process.stdin is not None
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            process.stdin.write(data)
            await process.stdin.drain()
            process.stdin.close()
            return await process.wait() == 0
    except (TimeoutError, OSError):
        if process.returncode is None:
            process.kill()
            await process.wait()
        return False
