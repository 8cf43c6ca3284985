"""A real terminal of 80x24: a tmux server of its own, keys in, screens out."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.acceptance.waiting import wait_until

PROMPT = "SHELL> "


class Terminal:
    """One shell in one tmux session."""

    def __init__(self, folder: Path) -> None:
        # The path of a socket must be short.
        self._socket = tempfile.TemporaryDirectory(prefix="rivus-")
        self._tmux = ["tmux", "-S", f"{self._socket.name}/tmux", "-f", "/dev/null"]
        self.temporary = folder.parent / "temporary"
        """Where a crash would leave its traceback."""
        self.temporary.mkdir()
        shell = f"env PS1={shlex.quote(PROMPT)} TMPDIR={shlex.quote(str(self.temporary))} bash --norc --noprofile"
        self.ask("new-session", "-d", "-s", "room", "-x", "80", "-y", "24", "-c", str(folder), shell)
        self.sees(re.escape(PROMPT.strip()))

    def ask(self, *args: str) -> str:
        """Run one tmux command; returns what it prints."""
        return subprocess.run([*self._tmux, *args], check=True, capture_output=True, text=True, timeout=60).stdout

    def type(self, line: Sequence[str]) -> None:
        """Type a command line and Enter."""
        self.ask("send-keys", "-t", "room", "-l", shlex.join(line))
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self.ask("send-keys", "-t", "room", *keys)

    def screen(self) -> str:
        """What is on the screen."""
        return self.ask("capture-pane", "-p", "-t", "room")

    def sees(self, pattern: str) -> re.Match[str]:
        """Wait until the screen holds `pattern`."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            match = re.search(pattern, self.screen(), re.MULTILINE)
            if match:
                found.append(match)
            return bool(match)

        wait_until(look, lambda: f"no {pattern!r} on the screen:\n{self.screen()}")
        return found[0]

    def modes(self) -> str:
        """Alternate screen, cursor visible, mouse wanted, as `010` for a terminal as a shell wants it."""
        asked = "#{alternate_on}#{cursor_flag}#{mouse_any_flag}"
        return self.ask("display-message", "-p", "-t", "room", asked).strip()

    def kill_session(self) -> None:
        """Take the terminal away from what runs in it."""
        self.ask("kill-session", "-t", "room")

    def close(self) -> None:
        """End the server, if it is still there."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False, timeout=60)
        self._socket.cleanup()
