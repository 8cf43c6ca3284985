"""How the root of a project leads to one of its repositories."""

from __future__ import annotations

import os
from pathlib import Path


def prefix_of(root: Path, folder: Path) -> str:
    """Return the path from the root with `/`; empty for the root itself."""
    relative = os.path.relpath(folder, root).replace(os.sep, "/")
    return "" if relative == "." else relative
