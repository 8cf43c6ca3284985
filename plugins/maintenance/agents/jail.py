"""Start an agent where it sees its clone, a temporary home and the system's programs, and nothing else.

Run as a file of its own (`python -I -S jail.py PLAN.json`); it imports nothing of Rivus. PLAN says what to run and what
to show. On Linux the agent gets namespaces of its own, made without privileges: a file system built from what the plan
names (everything else is not there, rather than forbidden), its own processes, and no network unless the plan says so.
It keeps no capability, so it cannot undo that; in a namespace of its own making the mounts are locked by the kernel.
When the first process in it ends, the kernel ends all others.

`jail.py --probe` says whether this works here: exit 0, or 1 with the reason on stderr.

Sources: unshare(2), mount_namespaces(7), user_namespaces(7), pivot_root(2), mount_setattr(2).
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

NOT_CONFINED = 125
"""Exit code: the jail could not be built, and the agent was not started."""
NOT_STARTED = 127
"""Exit code: there is no such command in what the agent can see."""

_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_DETACH = 2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_SECUREBITS, _PR_SET_NO_NEW_PRIVS = 1, 24, 28, 38
_NOROOT_LOCKED = 0b11
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442
_AT_RECURSIVE = 0x8000

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix")
_ETC = (
    *("alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "group", "hosts", "ld.so.cache"),
    *("ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "passwd", "pki", "protocols"),
    *("resolv.conf", "services", "ssl", "timezone"),
)
"""What of /etc programs need; not what is secret in it."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_TMP_SIZE = "size=2g,mode=1777"

_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The system does not let us build this."""


def _check(answer: int, what: str) -> None:
    if answer < 0:
        number = ctypes.get_errno()
        raise Refused(f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    answer = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )
    _check(answer, f"mount {target}")


class _Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def _read_only(path: str) -> None:
    """Make a mount, and all below it, read-only."""
    told = _Attributes(_RDONLY | _NOSUID, 0, 0, 0)
    answer = _libc.syscall(
        _MOUNT_SETATTR, -100, os.fsencode(path), _AT_RECURSIVE, ctypes.byref(told), ctypes.sizeof(told)
    )
    if answer < 0:  # a kernel before 5.12: the mount itself, not those below it
        _mount("none", path, None, _REMOUNT | _BIND | _RDONLY | _NOSUID)


def _own_namespaces(network: bool) -> None:
    uid, gid = os.geteuid(), os.getegid()
    flags = _NEWUSER | _NEWNS | _NEWPID | _NEWIPC | _NEWUTS | (0 if network else _NEWNET)
    _check(_libc.unshare(flags), "namespaces")
    for name, text in (("setgroups", "deny"), ("gid_map", f"{gid} {gid} 1"), ("uid_map", f"{uid} {uid} 1")):
        try:
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
        except OSError as error:
            raise Refused(f"{name}: {error.strerror}") from error


def _show(root: str, path: str, *, writable: bool) -> None:
    """Let `path` be seen below `root` as it is outside; what is not there is left out."""
    try:
        info = os.lstat(path)
    except OSError:
        return
    target = root + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.lexists(target):
        return
    if stat.S_ISLNK(info.st_mode):
        os.symlink(os.readlink(path), target)
        return
    if stat.S_ISDIR(info.st_mode):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    _mount(path, target, None, _BIND | _REC)
    if not writable:
        _read_only(target)


def _build(root: str, plan: dict[str, Any]) -> None:
    """Build the file system and move into it."""
    _mount("none", "/", None, _REC | _PRIVATE)
    _mount("rivus", root, "tmpfs", _NOSUID | _NODEV, "mode=755,size=16m")
    for path in _SYSTEM:
        _show(root, path, writable=False)
    for name in _ETC:
        _show(root, f"/etc/{name}", writable=False)
    if plan["network"]:
        _show(root, os.path.dirname(os.path.realpath("/etc/resolv.conf")), writable=False)
    os.makedirs(f"{root}/dev/shm", exist_ok=True)
    for name in _DEVICES:
        _show(root, f"/dev/{name}", writable=True)
    for name, to in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(to, f"{root}/dev/{name}")
    for path in ("/tmp", "/dev/shm"):
        os.makedirs(root + path, exist_ok=True)
        _mount("rivus", root + path, "tmpfs", _NOSUID | _NODEV, _TMP_SIZE)
    os.makedirs(f"{root}/proc", exist_ok=True)
    _mount("proc", f"{root}/proc", "proc", _NOSUID | _NODEV)
    # Shorter paths first: what lies in another shown folder is shown with it.
    for path in sorted(plan["write"], key=len):
        _show(root, path, writable=True)
    for path in sorted(plan["read"], key=len):
        _show(root, path, writable=False)
    os.makedirs(f"{root}/.before", exist_ok=True)
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise Refused(f"a {os.uname().machine} is not known here")
    _check(_libc.syscall(number, os.fsencode(root), os.fsencode(f"{root}/.before")), "pivot_root")
    os.chdir("/")
    _check(_libc.umount2(b"/.before", _DETACH), "umount")
    os.rmdir("/.before")
    _mount("none", "/", None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)


def _give_up_rights() -> None:
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break
    _libc.prctl(_PR_SET_SECUREBITS, _NOROOT_LOCKED, 0, 0, 0)
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def _run(plan: dict[str, Any], limits: dict[str, int]) -> int:
    """Become the agent, with the environment that this process has; returns only when that cannot be."""
    for name, value in limits.items():
        number = getattr(resource, name)
        _, hard = resource.getrlimit(number)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (allowed, allowed))
    with suppress(PermissionError):
        os.setsid()
    source = os.open(plan["stdin"] or os.devnull, os.O_RDONLY)
    os.dup2(source, 0)
    os.closerange(3, 65_536)
    try:
        os.chdir(plan["cwd"])
        os.execvp(plan["command"][0], plan["command"])
    except OSError as error:
        os.write(2, f"{plan['command'][0]}: {error.strerror}\n".encode())
        return NOT_STARTED


def _wait(child: int) -> int:
    """Wait for a child, passing on a request to end; returns its exit code, 128 and more for a signal."""

    def end(number: int, _frame: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    signal.signal(signal.SIGTERM, end)
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return 0
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code


def _first(plan: dict[str, Any], limits: dict[str, int], root: str, told: int) -> int:
    """The first process in the jail: it builds it, starts the agent and takes care of orphans."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        _build(root, plan)
        _libc.sethostname(b"agent", 5)
        _give_up_rights()
    except (Refused, OSError) as error:
        os.write(told, f"{error}".encode())
        return NOT_CONFINED
    os.close(told)
    child = os.fork()
    if not child:
        _end(lambda: _run(plan, limits))
    return _wait(child)


def _enter(plan: dict[str, Any], limits: dict[str, int], root: str, told: int) -> int:
    """Between outside and inside: it has the new namespaces, its child is the first process in them."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        _own_namespaces(plan["network"])
    except Refused as error:
        os.write(told, f"{error}".encode())
        return NOT_CONFINED
    child = os.fork()
    if not child:
        _end(lambda: _first(plan, limits, root, told))
    os.close(told)
    return _wait(child)


def _end(main: Callable[[], int]) -> NoReturn:
    """Be a child: run `main` and end with its code, whatever happens."""
    code = NOT_CONFINED
    try:
        code = main()
    finally:
        os._exit(code)


def confine(plan: dict[str, Any], limits: dict[str, int]) -> int:
    """Run the plan in a jail; returns the agent's exit code. Refused says why that cannot be here."""
    if sys.platform != "linux":
        raise Refused("only Linux can confine an agent")
    root = tempfile.mkdtemp(prefix="jail-", dir=plan["folder"])
    reading, told = os.pipe()
    try:
        child = os.fork()
        if not child:
            os.close(reading)
            _end(lambda: _enter(plan, limits, root, told))
        os.close(told)
        code = _wait(child)
        why = os.read(reading, 4096)
    finally:
        os.rmdir(root)
    if why:
        raise Refused(why.decode("utf-8", "replace"))
    return code


def _main(args: list[str]) -> int:
    if args == ["--probe"]:
        folder = tempfile.mkdtemp(prefix="rivus-probe-")
        plan = {"folder": folder, "network": False, "write": [], "read": [], "cwd": "/", "stdin": None}
        try:
            return 0 if confine({**plan, "command": ["/bin/sh", "-c", ":"]}, {}) == 0 else 1
        except Refused as error:
            sys.stderr.write(f"{error}\n")
            return 1
        finally:
            os.rmdir(folder)
    with open(args[0], encoding="utf-8") as file:
        plan = json.load(file)
    limits = plan["limits"]
    if not plan["confined"]:
        child = os.fork()
        if not child:
            _end(lambda: _run(plan, limits))
        return _wait(child)
    try:
        return confine(plan, limits)
    except Refused as error:
        sys.stderr.write(f"the agent cannot be confined here: {error}\n")
        return NOT_CONFINED


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
