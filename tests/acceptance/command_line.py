"""Run the real `rivus` on a folder, as a person or a script does, and look at what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RIVUS = Path(sys.executable).with_name("rivus")
DEADLINE_S = 120.0
"""No command of a test takes seconds; this is only there so that a hang is a failure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Standard output as JSON, one object a line."""
        told = [json.loads(line) for line in self.out.splitlines()]
        assert all(isinstance(one, dict) for one in told)
        return told

    @property
    def object(self) -> dict[str, Any]:
        """Standard output as exactly one JSON object on one line."""
        (one,) = self.objects
        return one

    def refused(self, code: int, *words: str) -> None:
        """The command ended with `code` and said why in words on stderr: no traceback, nothing on stdout."""
        assert self.code == code, self
        assert self.out == ""
        assert "Traceback" not in self.err
        assert "unexpected error" not in self.err
        for word in words:
            assert word in self.err


@dataclass(frozen=True, slots=True)
class Rivus:
    """`rivus --state STATE` in a folder."""

    root: Path
    state: Path

    def __call__(self, *args: str, code: int | None = 0, stdin: str | None = "") -> Ran:
        """Run to the end; `code` is the exit code that must come, None for any."""
        done = subprocess.run(
            self.line(*args),
            cwd=self.root,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=DEADLINE_S,
            check=False,
        )
        ran = Ran(code=done.returncode, out=done.stdout, err=done.stderr)
        assert code is None or ran.code == code, ran
        return ran

    def line(self, *args: str) -> list[str]:
        """The command line as a list."""
        return [str(RIVUS), "--state", str(self.state), "--trust", *args]

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files below the folder."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def git(self, *args: str) -> None:
        """Run git in the folder; the environment of the tests names the author."""
        subprocess.run(["git", *args], cwd=self.root, check=True, capture_output=True, env={**os.environ})

    def items(self, *args: str) -> dict[str, dict[str, Any]]:
        """Items by their title, from `items list --json`."""
        return {item["title"]: item for item in self("items", "list", *args, "--json").objects}
