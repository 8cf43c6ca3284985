"""A PostgreSQL server of its own for the peers that need one, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

PLACES: Final = "/usr/lib/postgresql"
START_S: Final = 60.0
NOBODY: Final = ("postgres", "nobody")
"""PostgreSQL refuses to run as root: whose name it takes instead."""


class NoServer(Exception):
    """There is no server here; the message says why."""


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Start a server with the settings that it comes with; gives its URL, on a Unix socket."""
    bin_folder = _bin()
    more: dict[str, Any] = {"user": _user()} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="rivus-bench-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if more:
            shutil.chown(folder, user=more["user"])
        data = folder / "data"

        def call(program: str, *args: str) -> None:
            subprocess.run(
                [bin_folder / program, *args],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=START_S, cwd=folder, **more,
            )  # fmt: skip

        try:
            call("initdb", "-D", str(data), "-U", "bench", "--auth=trust")
            options = f"-k {folder} -c listen_addresses=''"
            call("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        except (OSError, subprocess.SubprocessError) as error:
            raise NoServer(f"PostgreSQL did not start: {error}") from error
        try:
            yield f"postgresql://bench@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


def _bin() -> Path:
    found = sorted(Path(PLACES).glob("*/bin/initdb")) + [Path(one) for one in [shutil.which("initdb")] if one]
    if not found:
        raise NoServer("there is no PostgreSQL server")
    return found[-1].parent


def _user() -> str:
    for name in NOBODY:
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return name
    raise NoServer("PostgreSQL does not run as root")
