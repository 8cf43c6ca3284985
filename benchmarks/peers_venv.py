"""The peers' own virtual environment, made with pip when it is first needed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

FOLDER_VARIABLE: Final = "RIVUS_BENCH_PEERS"
"""Names the folder of the environment; without it, one in the folder for temporary files."""
PEERS: Final = ("huey==3.5.4", "dbos==3.4.0")
POSTGRESQL_PEERS: Final = (
    *PEERS,
    "procrastinate==3.10.0",
    "pgqueuer==1.6.0",
    "psycopg[binary]==3.3.9",
    "asyncpg==0.32.0",
)


class NoPeers(Exception):
    """The peers cannot be installed; the message says why."""


def peers_python(wanted: tuple[str, ...] = PEERS) -> Path:
    """Return the interpreter of the environment, with `wanted` in it."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or Path(tempfile.gettempdir()) / "rivus-bench-peers")
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    if stamp.exists() and set(stamp.read_text().split()) >= set(wanted):
        return python
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, timeout=120)
        subprocess.run(pip, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPeers(f"{', '.join(wanted)} could not be installed: {error}") from error
    stamp.write_text("\n".join(wanted))
    return python
