"""Keys come from the environment, a `.env` that only its owner can read, or a command; never from jobs.yaml."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Final

from engine.contracts.values import dataclass

_COMMAND_TIMEOUT_S: Final = 20.0
_LONGEST: Final = 16_384
_FILE_LIMIT: Final = 65_536


@dataclass(frozen=True, slots=True)
class Secret:
    """What was found, or why nothing was; shows where it came from, never what it is."""

    value: str | None = field(repr=False)
    source: str
    """`environment`, `.env`, `command`, or in a few words why there is none."""


class Secrets:
    """Looks keys up; a command is run once."""

    def __init__(self, folder: Path | None, environment: Mapping[str, str] | None = None) -> None:
        """`folder` holds the `.env`; None: there is none."""
        self._folder = folder
        self._environment = os.environ if environment is None else environment
        self._commands: dict[tuple[str, ...], Secret] = {}
        self._file: dict[str, str] | None = None
        self.file_problem: str | None = None
        """Why the `.env` is not used."""

    def find(self, name: str | None, command: Sequence[str] = ()) -> Secret:
        """Look a secret up: by the command if there is one, else by the name. Blocks for as long as a command takes."""
        if command:
            key = tuple(command)
            if key not in self._commands:
                self._commands[key] = _run(key)
            return self._commands[key]
        if name is None:
            return Secret(None, "needs none")
        if value := self._environment.get(name, "").strip():
            return Secret(value, "environment")
        if value := self._lines().get(name, ""):
            return Secret(value, ".env")
        return Secret(None, self.file_problem if self.file_problem else f"{name} is not set")

    def known(self) -> list[str]:
        """Every value that was found so far, and all of `.env`: what must not leave."""
        found = [secret.value for secret in self._commands.values() if secret.value]
        return [*found, *self._lines().values()]

    def _lines(self) -> dict[str, str]:
        if self._file is None:
            self._file = self._read() if self._folder is not None else {}
        return self._file

    def _read(self) -> dict[str, str]:
        assert self._folder is not None
        path = self._folder / ".env"
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.file_problem = f".env is not used: {error.strerror}"
            return {}
        with os.fdopen(handle, "rb") as file:
            told = os.fstat(file.fileno())
            if not stat.S_ISREG(told.st_mode) or told.st_uid not in (os.getuid(), 0):
                self.file_problem = ".env is not used: it is not a file of yours"
                return {}
            if told.st_mode & 0o077:
                self.file_problem = ".env is not used: others can read it (chmod 600 .env)"
                return {}
            return _parse(file.read(_FILE_LIMIT).decode("utf-8", "replace"))


def _parse(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        name, sign, value = line.strip().removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not sign or name.startswith("#") or not name.isidentifier():
            continue
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if value:
            found[name] = value
    return found


def _run(command: tuple[str, ...]) -> Secret:
    """Run without a shell; what it prints on stderr is not shown, it may hold the secret."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        what = "took too long" if isinstance(error, subprocess.TimeoutExpired) else "cannot be run"
        return Secret(None, f"the command `{command[0]}` {what}")
    value = done.stdout[:_LONGEST].decode("utf-8", "replace").strip()
    if done.returncode or not value:
        return Secret(None, f"the command `{command[0]}` gave no key (exit {done.returncode})")
    return Secret(value, "command")
