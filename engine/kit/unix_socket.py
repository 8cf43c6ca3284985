"""Unix sockets in a private folder: bind and connect whatever the path's length, and who is at the other end."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PATH_MAX: Final = 100
"""The kernel takes 107 bytes (Linux) or 103 (macOS)."""
_CREDENTIALS: Final = struct.Struct("3i")


def listen(path: Path, *, backlog: int) -> socket.socket:
    """Return a listening, non-blocking socket at `path`, for its owner only; what was left there goes.

    Only the holder of the folder's lock may call this. OSError when it cannot be.
    """
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with _address(path) as address:
            server.bind(address)
        # The folder is 0700, so nobody else can have come in before this.
        path.chmod(0o600)
        server.listen(backlog)
        server.setblocking(False)
    except BaseException:
        server.close()
        raise
    return server


def connect(path: Path, *, timeout_s: float) -> socket.socket:
    """Return a socket connected to `path`; OSError when nobody listens there."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        client.settimeout(timeout_s)
        with _address(path) as address:
            client.connect(address)
    except BaseException:
        client.close()
        raise
    return client


def peer_uid(connection: socket.socket) -> int | None:
    """The user at the other end, as the kernel says; None where it does not say (then the file's rights decide)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(raw)
    return int(uid)


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """The path as the kernel takes it; a long one through a handle on its folder, where there is a /proc."""
    if len(os.fsencode(path)) <= _PATH_MAX or not os.path.isdir("/proc/self/fd"):
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
