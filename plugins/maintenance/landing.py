"""Bring a commit into the user's checkout: whole, or not at all, however the process that does it ends.

git's own merge leaves a half one behind when it is cut off. Here the commit is made first, and all that it changes lies
ready in the repository's `.git/rivus/landing`, with the plan. Then each file is put in its place by a rename, the index
by another, and the branch moves last, if it still is where it was. `index.lock` keeps the user's git away meanwhile.
Whoever finds a plan goes on with it. Where the branch was moved by a person since, it takes back what still is, to the
byte, what was put there. A path that holds anything else is the user's: it is named, and left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from engine.kit.chaos import point
from engine.kit.git import git
from plugins.maintenance.standing import Busy, CheckoutProblem, changes, enter, lay_ready, must, put, stand

_LOCK_WORDS: Final = b"Rivus is changing this checkout. When none runs, start it: it goes on. Or delete this file.\n"
_KEPT: Final = "refs/rivus/landing"
"""Keeps git from tidying away what is on its way."""
_MOVES: Final = 3
"""How often a branch may be moved under a landing before it is given up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to land."""

    branch: str
    """What it brings, in words."""
    ref: str
    """Full name of the branch that is checked out."""
    old: str
    new: str
    """Commits: where the branch is, and where it will be."""


class InTheWay(Exception):
    """Files of the user's stand where some are to come; nothing was changed."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        super().__init__(", ".join(paths))


class HalfLanded(InTheWay):
    """A landing was cut off, and files were changed by hand since, so that it can neither go on nor be taken back."""

    def __init__(self, plan: Plan, paths: list[str]) -> None:
        self.plan = plan
        super().__init__(paths)


@contextmanager
def alone(repository: Path) -> Iterator[Checkout]:
    """The checkout for oneself, among everything that is Rivus; Busy where it is not. Ends with the process, too."""
    told = must(git(repository, "rev-parse", "--absolute-git-dir"), "the repository cannot be read")
    git_dir = Path(os.fsdecode(told.out.rstrip(b"\n")))
    folder = git_dir / "rivus"
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another merge goes on in this checkout") from None
        yield Checkout(repository, git_dir)
    finally:
        os.close(handle)


class Checkout:
    """The files, the index and the branch of a repository, for who holds `alone`."""

    def __init__(self, repository: Path, git_dir: Path) -> None:
        self._repository = repository
        self._git_dir = git_dir
        self._folder = git_dir / "rivus" / "landing"

    @property
    def head(self) -> tuple[str | None, str]:
        """(full name of the branch that is checked out, commit); None: no branch is."""
        ref = git(self._repository, "symbolic-ref", "--quiet", "HEAD")
        told = must(git(self._repository, "rev-parse", "--verify", "HEAD^{commit}"), "there is no commit")
        return (ref.text.strip() if ref.ok else None), told.text.strip()

    def has(self, commit: str) -> bool:
        """Whether what is checked out came from a commit."""
        return git(self._repository, "merge-base", "--is-ancestor", commit, "HEAD").ok

    def unfinished(self) -> Plan | None:
        """The plan of a landing that was cut off."""
        try:
            return Plan(**json.loads((self._folder / "plan.json").read_text("utf-8")))
        except FileNotFoundError:
            return None

    def land(self, plan: Plan) -> None:
        """Bring a commit in; InTheWay or Busy when it cannot be, with nothing changed."""
        self._lay_ready(plan)
        with self._git_kept_away():
            wanted = changes(self._repository, plan.old, plan.new)
            standing = stand(self._repository, wanted, self._folder / "tree")
            if self.head != (plan.ref, plan.old):
                self._forget(plan)
                raise Busy("the branch was moved at this moment")
            if in_the_way := [path for path, how in standing.items() if not how.is_known]:
                self._forget(plan)
                raise InTheWay(in_the_way)
            self._go_on(plan)

    def finish(self, plan: Plan) -> None:
        """End what was cut off, whole where the branch is as it was; HalfLanded where that would cost a user's work."""
        with self._git_kept_away():
            try:
                self._go_on(plan)
            except HalfLanded:
                raise
            except InTheWay:  # nothing had been put anywhere
                self._forget(plan)

    def _go_on(self, plan: Plan) -> None:
        why = ""
        for _ in range(_MOVES):
            if self.has(plan.new):
                break
            head = self.head
            if head != (plan.ref, plan.old):
                self._take_back(plan, head[1])
                break
            self._put(plan)
            why = git(
                self._repository, "update-ref", "-m", f"merge {plan.branch}: by Rivus", plan.ref, plan.new, plan.old
            ).error
            point("merge.moved")
        else:
            raise CheckoutProblem(f"git does not move {plan.ref}: {' '.join(why.split())}")
        self._forget(plan)

    def _lay_ready(self, plan: Plan) -> None:
        making = self._folder.with_name("landing.new")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        wanted = changes(self._repository, plan.old, plan.new)
        paths = [change.path for change in wanted if change.there is not None]
        lay_ready(self._repository, plan.new, paths, making / "tree")
        (making / "plan.json").write_text(json.dumps(asdict(plan)), "utf-8")
        point("merge.planned")
        making.rename(self._folder)
        must(git(self._repository, "update-ref", f"{_KEPT}/{plan.new}", plan.new), "the commit cannot be kept")
        point("merge.ready")

    def _put(self, plan: Plan) -> None:
        ready = self._folder / "tree"
        wanted = changes(self._repository, plan.old, plan.new)
        standing = stand(self._repository, wanted, ready)
        if strays := [path for path, how in standing.items() if not how.is_known]:
            begun = any("there" in (how.file, how.index) for how in standing.values())
            raise HalfLanded(plan, strays) if begun else InTheWay(strays)
        told = [(change.path, change.there, standing[change.path]) for change in wanted]
        put(self._repository, [one for one in told if one[2].file == "here"], ready)
        point("merge.files")
        enter(self._repository, self._git_dir / "index", told, self._folder)
        point("merge.index")

    def _take_back(self, plan: Plan, head: str) -> None:
        """Make what was put there what `head` has, which a person has gone on to; what they have changed stays."""
        paths = {change.path for change in changes(self._repository, plan.old, plan.new)}
        wanted = [change for change in changes(self._repository, head, plan.new) if change.path in paths]
        standing = stand(self._repository, wanted, self._folder / "tree")
        ours = [
            (change.path, change.here, how)
            for change in wanted
            if (how := standing[change.path]).is_known and "there" in (how.file, how.index)
        ]
        back = self._folder / "back"
        shutil.rmtree(back, ignore_errors=True)
        lay_ready(self._repository, head, [path for path, entry, _ in ours if entry is not None], back)
        put(self._repository, [one for one in ours if one[2].file == "there"], back)
        enter(self._repository, self._git_dir / "index", ours, self._folder)

    def _forget(self, plan: Plan) -> None:
        git(self._repository, "update-ref", "-d", f"{_KEPT}/{plan.new}")  # while there is a plan that names it
        old = self._folder.with_name("landing.old")
        shutil.rmtree(old, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            self._folder.rename(old)
        shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _git_kept_away(self) -> Iterator[None]:
        """Hold the lock of the index, as git itself does; one that an engine left behind that is gone is taken over."""
        lock, words = self._git_dir / "index.lock", self._git_dir / "rivus" / "words"
        words.write_bytes(_LOCK_WORDS)
        try:
            _link(words, lock)
        except FileExistsError:
            if lock.read_bytes() != _LOCK_WORDS:
                raise Busy(f"git is at work in the checkout, or was cut off ({lock} is there)") from None
        point("merge.locked")
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                if lock.read_bytes() == _LOCK_WORDS:  # who has deleted it may have it for themselves by now
                    lock.unlink()


def _link(words: Path, lock: Path) -> None:
    """Make the lock with its words in it, in one step where the file system can."""
    try:
        os.link(words, lock)
    except FileExistsError:
        raise
    except OSError:
        with lock.open("xb") as file:
            file.write(_LOCK_WORDS)
