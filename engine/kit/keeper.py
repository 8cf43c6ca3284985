"""Between the engine and one process of somebody else's code: nothing that it starts outlives it or the engine.

Run as a file of its own (`python -I -S keeper.py LINK LIMIT=VALUE,… COMMAND…`), so that it starts in a few
milliseconds; it imports nothing of Rivus. It starts the worker with its limits, then waits. LINK is a file number that
only the worker shall have, or `-`. The engine holds the other end of its standard input: a `t` on it asks the worker to
end (SIGTERM), and when it closes (the engine wants the worker gone, or is gone itself), everything below the keeper is
killed. When the worker ends, what it left behind is killed too, and the keeper ends the way the worker did.

On Linux keeper and worker are *subreapers*: a process that was orphaned on purpose (double fork, `setsid`) becomes
their child, so the tree below them is complete. Elsewhere only the worker's process group is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time

PROCESSES_MAX = 100
"""Processes that a handler may have at once; more is taken for a fork bomb."""
TOO_MANY_PROCESSES = 121
"""Exit code of a keeper that killed its worker for having more than `PROCESSES_MAX`."""
_LOOK_S = 0.05
"""How often a busy worker's processes are counted."""
_KILL_S = 5.0
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_NICE = 10
"""Handlers yield to the screen and the engine's loop."""
_OOM_SCORE = "500"
"""When memory is short, the kernel takes a worker before the engine."""


def adopt_orphans() -> None:
    """Become the parent of every orphan below this process; does nothing where the system has no such thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def has_children() -> bool:
    """Whether this process has a child, running or ended."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def descendants(root: int) -> list[int]:
    """Running processes below `root`, parents first; ended ones (zombies) are left out."""
    parents = _parents()
    found = []
    waiting = [root]
    while waiting:
        parent = waiting.pop()
        for child in parents.get(parent, ()):
            found.append(child)
            waiting.append(child)
    return found


def _parents() -> dict[int, list[int]]:
    """Parent → its running children, of the whole system."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if sys.platform == "linux" else ():
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
        except OSError:
            continue  # ended meanwhile
        if state not in b"ZX":
            children.setdefault(int(parent), []).append(int(name))
    return children


def end_descendants(root: int) -> bool:
    """Kill every process below `root`, which is this process, and wait; False when some would not go.

    All are stopped before any is killed, so that what still forks cannot get away from the count.
    """
    until = time.monotonic() + _KILL_S
    while True:
        reap()
        # A look at all processes is not of one moment: who is handed from a dying parent to this process may be missed
        # in it. That no child is left is certain, since whatever is orphaned below becomes a child of this process.
        if not has_children():
            return True
        found = descendants(root)
        if time.monotonic() > until or (not found and sys.platform != "linux"):
            return False
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in found:
                _send(pid, number)
        time.sleep(0.002)


def reap() -> None:
    """Take note of every child that has ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _start(command: list[str], limits: dict[int, int]) -> int:
    """Start the worker; returns its process number."""
    keeper = os.getpid()
    pid = os.fork()  # no thread runs here, and nothing is open that the worker must not have
    if pid:
        return pid
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != keeper:
                os._exit(1)
            with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
                file.write(_OOM_SCORE)
        os.nice(_NICE)
        for limit, value in limits.items():
            _, hard = resource.getrlimit(limit)
            allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(limit, (allowed, allowed))
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.execv(command[0], command)
    except BaseException as error:
        os.write(2, f"the worker could not be started: {error}\n".encode())
    finally:
        os._exit(1)


def _keep(worker: int) -> int:
    """Wait until the worker ends or the engine lets go; returns the worker's exit code, negative for a signal."""
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    busy = False
    while True:
        ended, status = os.waitpid(worker, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        readable, _, _ = select.select([0, woken], [], [], _LOOK_S if busy else None)
        if 0 in readable:
            told = os.read(0, 4096)
            if not told:
                return -signal.SIGKILL
            if b"t" in told:
                _send(worker, signal.SIGTERM)
            busy = told.endswith(b"b")
        if woken in readable:
            os.read(woken, 4096)
        if busy and _has_started_any(worker) and len(descendants(worker)) > PROCESSES_MAX:
            return TOO_MANY_PROCESSES


def _has_started_any(worker: int) -> bool:
    """Whether the worker has a child; costs little, unlike the count."""
    try:
        for thread in os.listdir(f"/proc/{worker}/task"):
            with open(f"/proc/{worker}/task/{thread}/children", "rb") as file:
                if file.read(1):
                    return True
    except OSError:
        return sys.platform == "linux"  # ended meanwhile, or a kernel without these files: count
    return False


def main(link: int | None, limits: dict[int, int], command: list[str]) -> int:
    """Start the worker and keep it; returns how it ended, with nothing left below this process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    adopt_orphans()
    worker = _start(command, limits)
    if link is not None:
        os.close(link)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    code = _keep(worker)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(worker, signal.SIGKILL)  # at once, whatever it is forking
    end_descendants(os.getpid())
    return code


def _end_like(code: int) -> None:
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    told = [pair.split("=") for pair in sys.argv[2].split(",")]
    of_the_worker = None if sys.argv[1] == "-" else int(sys.argv[1])
    _end_like(main(of_the_worker, {int(name): int(value) for name, value in told}, sys.argv[3:]))
