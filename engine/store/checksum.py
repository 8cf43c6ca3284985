"""The checksum of a stored output: altered data is never served."""

from __future__ import annotations

import hashlib

from engine.contracts.errors import StateError


def hash_output(output: str) -> bytes:
    """SHA-256 of an output as stored."""
    return hashlib.sha256(output.encode()).digest()


def check_output(output: str, output_hash: bytes) -> None:
    """StateError when a stored output is not what was written."""
    if hash_output(output) != output_hash:
        raise StateError("a stored result does not match its checksum: the state file is damaged; restore a backup")
