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


class NoPeers(Exception):
    """The peers cannot be installed; the message says why."""


def peers_python() -> Path:
    """Return the interpreter of the environment."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or Path(tempfile.gettempdir()) / "rivus-bench-peers")
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text().split() == list(PEERS):
        return python
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, timeout=120)
        subprocess.run(pip, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPeers(f"{', '.join(PEERS)} could not be installed: {error}") from error
    stamp.write_text("\n".join(PEERS))
    return python
