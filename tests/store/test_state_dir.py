from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.contracts.errors import OwnedError, StateError, UseError
from engine.store.state_dir import EngineLock, StateDir


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """A folder that was made for state."""
    made = StateDir(tmp_path / "state")
    made.create()
    return made


def test_folder_is_its_owners_alone(state: StateDir) -> None:
    for path in (state.path, state.artifacts):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UseError, match="choose another with --state DIR"):
        StateDir(tmp_path / "file" / "state").create()


def test_full_disk_is_named_by_whoever_would_own_the_folder(state: StateDir) -> None:
    state.lock.symlink_to("/dev/full")
    with pytest.raises(StateError, match="cannot be written: No space left on device; make room"):
        EngineLock(state, mode="serve", now=5)


def test_disk_that_gets_full_does_not_end_an_owner(state: StateDir) -> None:
    lock = EngineLock(state, mode="serve", now=5)
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, lock._handle)
    os.close(full)
    lock.tell("running")
    lock.release()


def test_owner_is_told_while_the_lock_is_held(state: StateDir) -> None:
    assert state.owner() is None
    lock = EngineLock(state, mode="serve", now=5)
    lock.tell("running", epoch=7)
    owner = state.owner()
    assert owner is not None
    assert (owner.epoch, owner.started_at, owner.mode, owner.state) == ("7", 5, "serve", "running")
    with pytest.raises(OwnedError) as caught:
        EngineLock(state, mode="app", now=6)
    assert (caught.value.exit_code, caught.value.since) == (3, 5)
    lock.release()
    lock.release()
    assert state.owner() is None
    assert json.loads(state.lock.read_bytes())["state"] == "stopped"
    assert stat.S_IMODE(state.lock.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff\xfe" * 200])
def test_owner_that_has_not_said_who_it_is_is_an_owner(state: StateDir, content: bytes) -> None:
    lock = EngineLock(state, mode="serve", now=5)
    state.lock.write_bytes(content)
    owner = state.owner()
    assert owner is not None
    assert (owner.pid, owner.state) == (0, "starting")
    lock.release()


def test_lock_of_a_killed_process_is_free(state: StateDir) -> None:
    script = (
        "import sys; from pathlib import Path; from engine.store.state_dir import *;"
        f"lock = EngineLock(StateDir(Path({str(state.path)!r})), mode='serve', now=1); lock.tell('running', epoch=1);"
        "print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"held\n"
    owner = state.owner()
    assert owner is not None
    assert owner.pid == process.pid
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()
    assert state.owner() is None
    EngineLock(state, mode="serve", now=2).release()


FORKS = """
import os, sys
from pathlib import Path
from engine.store.state_dir import EngineLock, StateDir

state = StateDir(Path(sys.argv[1]))
lock = EngineLock(state, mode="serve", now=5)
goes_on, stop = os.pipe()
begins, began = os.pipe()
if os.fork() == 0:
    os.close(stop)
    os.write(began, b"!")
    os.read(goes_on, 1)
    os._exit(0)
os.read(begins, 1)
if sys.argv[2] == "release":
    lock.release()
else:
    os.close(lock._handle)  # as the kernel does when this process is killed
print(state.owner())
EngineLock(state, mode="serve", now=6)
"""


@pytest.mark.parametrize("how", ["release", "kill"])
def test_child_that_was_forked_meanwhile_does_not_keep_the_lock(state: StateDir, how: str) -> None:
    line = [sys.executable, "-c", FORKS, str(state.path), how]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("None\n", "")
