"""The peers' own virtual environments, made with pip when they are first needed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

FOLDER_VARIABLE: Final = "RIVUS_BENCH_PEERS"
"""Names the folder of the environment, one in the folder for temporary files without it; apps have theirs beside it."""
PEERS: Final = ("huey==3.5.4", "dbos==3.4.0")
POSTGRESQL_PEERS: Final = (
    *PEERS,
    "procrastinate==3.10.0",
    "pgqueuer==1.6.0",
    "psycopg[binary]==3.3.9",
    "asyncpg==0.32.0",
)
_INSTALL_S: Final = 900.0
"""The largest of them brings some hundred megabytes."""


class NoPeers(Exception):
    """The peers cannot be installed; the message says why."""


def peers_python(wanted: tuple[str, ...] = PEERS) -> Path:
    """Return the interpreter of the environment, with `wanted` in it."""
    return _installed(_folder(), wanted)


def peer_app(name: str, wanted: tuple[str, ...]) -> Path:
    """Return the program `name` of an environment of its own: what apps stand on differs from one to the next."""
    folder = _folder()
    return _installed(folder.with_name(f"{folder.name}-{name}"), wanted).with_name(name)


def _folder() -> Path:
    return Path(os.environ.get(FOLDER_VARIABLE) or Path(tempfile.gettempdir()) / "rivus-bench-peers")


def _installed(folder: Path, wanted: tuple[str, ...]) -> Path:
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    if stamp.exists() and set(stamp.read_text().split()) >= set(wanted):
        return python
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, timeout=120)
        subprocess.run(pip, check=True, capture_output=True, timeout=_INSTALL_S)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPeers(f"{', '.join(wanted)} could not be installed: {error}") from error
    stamp.write_text("\n".join(wanted))
    return python
