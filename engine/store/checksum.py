"""The checksum of a stored output: altered data is never served."""

from __future__ import annotations

import hashlib
from typing import Final

from engine.contracts.errors import StateError

_NOTHING: Final = hashlib.sha256()
"""A copy of it costs half of a new one, for which OpenSSL looks up what SHA-256 is."""


def hash_output(output: str) -> bytes:
    """SHA-256 of an output as stored."""
    found = _NOTHING.copy()
    found.update(output.encode())
    return found.digest()


def check_output(output: str, output_hash: bytes) -> None:
    """StateError when a stored output is not what was written."""
    if hash_output(output) != output_hash:
        raise StateError("a stored result does not match its checksum: the state file is damaged; restore a backup")
