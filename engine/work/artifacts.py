"""The files that an attempt leaves: they must be there, be files, and be of bounded size."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.contracts.outcome import Artifact
from engine.kit.safe_text import safe_line

FILE_MAX: Final = 512 << 20
"""Largest artifact, in bytes."""
COUNT_MAX: Final = 100
"""Artifacts of one stage of an item, at most."""


def artifact_flaw(folder: Path, artifacts: Sequence[Artifact]) -> str | None:
    """Say what is wrong with the artifacts that an attempt declares below its item's folder; None: nothing."""
    if len(artifacts) > COUNT_MAX:
        return f"{len(artifacts):,} artifacts, {COUNT_MAX} are allowed"
    for artifact in artifacts:
        name = safe_line(str(artifact.path), 100)
        try:
            info = os.lstat(folder / artifact.path)
        except (OSError, ValueError, TypeError):
            return f"the artifact `{name}` is not there"
        if not stat.S_ISREG(info.st_mode):
            return f"the artifact `{name}` is not a regular file"
        if info.st_size > FILE_MAX:
            return f"the artifact `{name}` has {info.st_size:,} bytes, {FILE_MAX:,} are allowed"
    return None
