"""What a commit changes in a checkout, path by path: how each path stands now, and how it is put in its place.

A path is what the checkout's branch has (`here`), what is to come (`there`), or something else, which is the user's.
What is to come lies ready as whole files, so that each path changes by one rename: none is ever half written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from engine.kit.chaos import point
from engine.kit.git import GitResult, git

Entry = tuple[str, str] | None
"""Mode and name of the object of a path, as git writes them; None: the path is not there."""
Side = Literal["here", "there", "other"]
_GIT_S: Final = 120.0
_NAMED_MAX: Final = 500
"""Paths on one command line."""
_LINK: Final = "120000"
_SUBMODULE: Final = "160000"


class CheckoutProblem(Exception):
    """The checkout cannot be read or changed; the message is one sentence for a person."""


class Busy(Exception):
    """Somebody else is at work in the checkout at this moment."""


@dataclass(frozen=True, slots=True)
class Change:
    """A path that differs between two commits."""

    path: str
    here: Entry
    there: Entry


@dataclass(frozen=True, slots=True)
class Standing:
    """How a path stands in the checkout."""

    file: Side
    index: Side
    is_left_out: bool
    """A sparse checkout leaves its file out."""
    seen: tuple[int, ...]
    """Of the file, when it was looked at."""

    @property
    def is_known(self) -> bool:
        """Whether nothing of the user's lies there."""
        return "other" not in (self.file, self.index)


def must(result: GitResult, what: str) -> GitResult:
    """Return the result of a git command that has succeeded; CheckoutProblem for any other."""
    if not result.ok:
        raise CheckoutProblem(f"{what}: {' '.join(result.error.split()) or f'git exited with {result.code}'}")
    return result


def fields(result: GitResult) -> list[str]:
    """The NUL-separated fields that git printed; bytes of a path that are no text stay what they are."""
    return [os.fsdecode(part) for part in result.out.split(b"\0")[:-1]]


def _entry(mode: str, name: str) -> Entry:
    return None if mode == "000000" else (mode, name)


def changes(repository: Path, here: str, there: str) -> list[Change]:
    """What differs between two commits."""
    told = fields(must(git(repository, "diff-tree", "-r", "-z", "--no-renames", "--raw", here, there), "no difference"))
    found = []
    for head, path in zip(told[::2], told[1::2], strict=True):
        mode_here, mode_there, name_here, name_there, _ = head.removeprefix(":").split(" ")
        found.append(Change(path, _entry(mode_here, name_here), _entry(mode_there, name_there)))
    return found


def lay_ready(repository: Path, commit: str, paths: Iterable[str], folder: Path) -> None:
    """Write files of a commit below `folder` as a checkout would have them: modes, line ends and filters included."""
    index = folder.with_name(f"{folder.name}.index")
    folder.mkdir(mode=0o700)
    must(git(repository, "read-tree", commit, timeout_s=_GIT_S, index=index), "the commit cannot be read")
    told = b"".join(os.fsencode(path) + b"\0" for path in paths)
    options = ("--quiet", f"--prefix={folder}/", "-z", "--stdin")
    done = git(repository, "checkout-index", *options, timeout_s=_GIT_S, stdin=told, index=index)
    must(done, "the files cannot be laid ready")


def stand(repository: Path, wanted: Sequence[Change], ready: Path) -> dict[str, Standing]:
    """Say how paths stand that HEAD has as `here`; `ready` holds the files that are to come."""
    goes = {change.path for change in wanted if change.there is None}
    seen = {change.path: _seen(repository, change.path, goes) for change in wanted}
    # What is not listed is as HEAD has it, by git's own judgement: line ends and filters are its affair.
    options = ("--porcelain=v2", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules=all")
    listed: dict[str, tuple[str, Entry] | None] = {}
    for line in fields(must(git(repository, "status", *options, timeout_s=_GIT_S), "the checkout cannot be read")):
        parts = line.split(" ", 8)
        if parts[0] == "1":
            listed[parts[8]] = (parts[1], _entry(parts[4], parts[7]))
        elif parts[0] == "u":
            listed[line.split(" ", 10)[10]] = None
    unseen = _unseen(repository, [change.path for change in wanted])
    fit_modes = git(repository, "config", "--type=bool", "--default=true", "core.fileMode").text.strip() == "true"
    found = {}
    for change in wanted:
        is_there = _is_ready(repository, change, ready, modes=fit_modes)
        told = listed.get(change.path, ("..", change.here))
        if told is None:
            found[change.path] = Standing("other", "other", False, seen[change.path])
            continue
        how, entry = told
        index: Side = "here" if entry == change.here else "there" if entry == change.there else "other"
        file: Side
        if unseen.get(change.path, "").upper() == "S":
            file = index
        elif _leads_away(repository, change.path) or (change.path in unseen and not is_there):
            file = "other"
        elif entry is None:  # git looks at no file that its index does not know
            file = "there" if is_there else "here" if seen[change.path] == () and change.here is None else "other"
        elif how[1] == ".":
            file = index
        else:
            file = "there" if is_there else "other"
        found[change.path] = Standing(file, index, unseen.get(change.path, "").upper() == "S", seen[change.path])
    return found


def _unseen(repository: Path, paths: Sequence[str]) -> dict[str, str]:
    """Paths that git itself does not look at: left out by a sparse checkout (S), or assumed to be unchanged (h)."""
    named = paths if len(paths) <= _NAMED_MAX else ()
    command = ("--literal-pathspecs", "ls-files", "-t", "-v", "-z", "--", *named)
    told = fields(must(git(repository, *command, timeout_s=_GIT_S), "the index cannot be read"))
    return {line[2:]: line[0] for line in told if line[0].islower() or line[0] == "S"}


def _seen(repository: Path, path: str, goes: Collection[str]) -> tuple[int, ...]:
    """What tells a file from what may take its place; nothing for a folder of which only files are left that go."""
    target = repository / path
    try:
        told = target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return ()
    if stat.S_ISDIR(told.st_mode):
        inside = [Path(above, name) for above, _, names in os.walk(target) for name in names]
        if inside and all(str(file.relative_to(repository)) in goes for file in inside):
            return ()
    return told.st_ino, told.st_mtime_ns, told.st_size, told.st_mode


def _is_ready(repository: Path, change: Change, ready: Path, *, modes: bool) -> bool:
    """Whether what lies at a path is to the byte what is to come."""
    path, to_come = repository / change.path, ready / change.path
    if change.there is None:
        return not os.path.lexists(path)
    if change.there[0] == _SUBMODULE or not os.path.lexists(path) or _leads_away(repository, change.path):
        return False
    if path.is_symlink() or to_come.is_symlink():
        return path.is_symlink() and to_come.is_symlink() and os.readlink(path) == os.readlink(to_come)
    if not path.is_file() or path.stat().st_size != to_come.stat().st_size:
        return False
    if modes and bool(path.stat().st_mode & stat.S_IXUSR) != (change.there[0] == "100755"):
        return False
    return path.read_bytes() == to_come.read_bytes()


def _leads_away(repository: Path, path: str) -> bool:
    """Whether a folder above a path is a link: what lies behind it is no part of the checkout."""
    above = repository
    for part in Path(path).parts[:-1]:
        above = above / part
        if above.is_symlink():
            return True
    return False


def put(repository: Path, wanted: Sequence[tuple[str, Entry, Standing]], ready: Path) -> None:
    """Put files in their places, each by one rename; Busy when one was changed since it was looked at."""
    for path, entry, standing in sorted(wanted, key=lambda one: one[1] is not None):  # room is made first
        if standing.is_left_out or (entry is not None and entry[0] == _SUBMODULE):
            continue
        target = repository / path
        if _leads_away(repository, path) or _seen(repository, path, ()) != standing.seen:
            raise Busy(f"{path} was changed at this moment")
        if entry is None:
            _remove(repository, target)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        following = ready.with_name("next")
        following.unlink(missing_ok=True)
        shutil.copy2(ready / path, following, follow_symlinks=False)
        if entry[0] != _LINK:
            with following.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(following, target)
        point("merge.put")


def _remove(repository: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    for above in target.parents:
        if above == repository:
            break
        try:
            above.rmdir()
        except OSError:
            break  # something lies there


def enter(repository: Path, index: Path, wanted: Sequence[tuple[str, Entry, Standing]], scratch: Path) -> None:
    """Make the index say what was put: a new one takes its place by one rename. The caller holds its lock."""
    handle, name = tempfile.mkstemp(dir=scratch, prefix="index.")
    os.close(handle)
    new = Path(name)
    shutil.copyfile(index, new)
    nothing = "0" * max((len(entry[1]) for _, entry, _ in wanted if entry is not None), default=40)
    lines = [
        f"0 {nothing}\t{path}" if entry is None else f"{entry[0]} {entry[1]} 0\t{path}"
        for path, entry, _ in sorted(wanted, key=lambda one: one[1] is not None)
    ]
    told = b"".join(os.fsencode(line) + b"\0" for line in lines)
    must(git(repository, "update-index", "-z", "--index-info", stdin=told, index=new), "the index cannot be changed")
    left_out = [path for path, entry, standing in wanted if standing.is_left_out and entry is not None]
    if left_out:
        told = b"".join(os.fsencode(path) + b"\0" for path in left_out)
        done = git(repository, "update-index", "--skip-worktree", "-z", "--stdin", stdin=told, index=new)
        must(done, "the index cannot be changed")
    # It also says, by its code, whether something else needs an update: no affair of ours.
    git(repository, "update-index", "-q", "--refresh", timeout_s=_GIT_S, index=new)
    with contextlib.suppress(OSError):
        shutil.copymode(index, new)
    os.replace(new, index)
