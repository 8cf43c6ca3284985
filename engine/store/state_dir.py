"""The folder that holds a project's state, and the lock that makes one engine its owner."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from pathlib import Path
from typing import Any, Literal, cast

from engine.contracts.errors import OwnedError, StateError, UseError
from engine.contracts.values import dataclass
from engine.contracts.view import EngineView

log = logging.getLogger(__name__)

Mode = Literal["app", "serve", "once", "command"]
EngineState = Literal["starting", "running", "draining", "stopped"]

_LOCK_PATIENCE_S = 0.4
"""Whoever looks who owns the lock holds it, shared, for microseconds; an engine that starts waits that out."""


@dataclass(frozen=True, slots=True)
class StateDir:
    """Paths below one state directory; the directory is 0700, the files in it 0600."""

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "rivus.db"

    @property
    def lock(self) -> Path:
        """Locked while an engine runs; holds who it is."""
        return self.path / "engine.lock"

    @property
    def socket(self) -> Path:
        """Where a running engine takes commands from other processes of the same user."""
        return self.path / "engine.sock"

    @property
    def log(self) -> Path:
        """The engine's log, JSON lines."""
        return self.path / "rivus.log"

    @property
    def room(self) -> Path:
        """What the control room remembers of this project."""
        return self.path / "ui.json"

    @property
    def artifacts(self) -> Path:
        """One folder per item."""
        return self.path / "artifacts"

    def create(self) -> None:
        """Make the directory, for its owner only; UseError when that cannot be."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
            self.artifacts.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise UseError(
                f"{self.path}: the state directory cannot be used: {reason}; choose another with --state DIR"
            ) from error

    def owner(self) -> EngineView | None:
        """Return the engine that owns this directory at this moment, or None."""
        try:
            handle = os.open(self.lock, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _view(os.pread(handle, 4096, 0))
            fcntl.flock(handle, fcntl.LOCK_UN)
            return None
        finally:
            os.close(handle)


def _view(raw: bytes) -> EngineView | None:
    try:
        told = cast(dict[str, Any], json.loads(raw))
        return EngineView(
            pid=int(told["pid"]),
            epoch=str(told["epoch"]),
            started_at=int(told["started_at"]),
            mode=told["mode"],
            state=told["state"],
        )
    except (ValueError, KeyError, TypeError):
        # Held, but the owner is just writing who it is.
        return EngineView(pid=0, epoch="", started_at=0, mode="command", state="starting")


class EngineLock:
    """Ownership of a state directory: an flock that the kernel drops with the process, however it ends.

    No child keeps the lock: the handle is close-on-exec, and one that a handler forks lets go of it.
    """

    def __init__(self, state: StateDir, *, mode: Mode, now: int) -> None:
        self._told: dict[str, object] = {"pid": os.getpid(), "epoch": "", "started_at": now, "mode": mode}
        self._path = state.path
        try:
            self._handle = os.open(state.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        until = time.monotonic() + _LOCK_PATIENCE_S
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                owner = _view(os.pread(self._handle, 4096, 0))
                if time.monotonic() < until:
                    time.sleep(0.01)
                    continue
                os.close(self._handle)
                pid = owner.pid if owner else 0
                raise OwnedError(
                    f"another engine (pid {pid or 'unknown'}) runs on {state.path}; "
                    "stop it first, or choose another state directory with --state DIR",
                    pid=pid or None,
                    since=owner.started_at if owner else None,
                ) from None
        before = _view(os.pread(self._handle, 4096, 0))
        self.was_cut = before is not None and before.state != "stopped" and before.started_at > 0
        """The last owner did not end by itself: it was killed, or the power failed. Set to False once all of the state
        file was looked at, or another is in its place; until then the next owner sees it, too."""
        _held.add(self)
        try:
            self._write("starting")
        except BaseException as error:
            self._close()
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise

    def _unwritable(self, error: OSError) -> StateError:
        reason = os.strerror(error.errno) if error.errno else str(error)
        return StateError(
            f"{self._path}: the state directory cannot be written: {reason}; make room there, and try again"
        )

    def tell(self, state: EngineState, *, epoch: int | None = None) -> None:
        """Write who owns the directory and how it is, for others to read."""
        if epoch is not None:
            self._told["epoch"] = str(epoch)
        try:
            self._write(state)
        except OSError as error:
            # What others read of the owner is then old; the lock itself holds all the same.
            log.warning("who owns the state directory cannot be written: %s", error)

    def _write(self, state: EngineState) -> None:
        raw = json.dumps({**self._told, "state": state}).encode()
        os.pwrite(self._handle, raw.ljust(256), 0)

    def release(self) -> None:
        """Give the directory up."""
        if self._handle >= 0:
            try:
                if not self.was_cut:
                    self.tell("stopped")
            finally:
                self._close()

    def _close(self) -> None:
        _held.discard(self)
        os.close(self._handle)
        self._handle = -1


_held: set[EngineLock] = set()


def _let_go_in_child() -> None:
    for lock in tuple(_held):
        lock._close()


os.register_at_fork(after_in_child=_let_go_in_child)
