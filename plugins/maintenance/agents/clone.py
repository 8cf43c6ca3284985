"""A clone of its own for every agent session: made from a commit, read back as commits, salvaged before it goes.

A worktree would share `.git` with the user's checkout, and so its configuration and hooks. A clone shares nothing: what
an agent writes into its `.git` reaches nobody, because all that is ever taken from it is a tree of files, which this
module commits itself, outside the clone, with the user's repository never configured by it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.kit.git import GitResult, git

_COMMIT: Final = ("-c", "user.name=Rivus", "-c", "user.email=rivus@localhost", "-c", "commit.gpgsign=false")
_GIT_S: Final = 300.0
_IN_PROGRESS: Final = ("MERGE_HEAD", "REBASE_HEAD", "CHERRY_PICK_HEAD", "rebase-merge", "rebase-apply", "BISECT_LOG")
_BASE: Final = "base"
"""Beside the clone: what it was made from."""
_SHADOW: Final = "index.git"
"""Beside the clone: our own repository over the agent's files, which the agent never sees."""


class CloneProblem(Exception):
    """The repository or the clone does not allow it; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Clone:
    """The files of one session, and the repository that we keep over them."""

    repository: Path
    """The user's; only ever read, but for the refs that `publish` and `salvage` write."""
    folder: Path
    """The session's folder; `tree` in it is the agent's clone."""
    base: str
    """Commit that the session started from."""

    @property
    def tree(self) -> Path:
        """Where the agent works."""
        return self.folder / "tree"

    @property
    def shadow(self) -> Path:
        """Our own git folder over `tree`."""
        return self.folder / _SHADOW

    def ours(self, *args: str) -> GitResult:
        """Run git on the agent's files with our own git folder: its configuration, hooks and index are not used."""
        return git(
            self.folder, f"--git-dir={self.shadow}", f"--work-tree={self.tree}", *_COMMIT, *args, timeout_s=_GIT_S
        )

    def take(self, message: str) -> str:
        """Commit everything that lies in the tree now, and return the commit; the base where nothing changed.

        What git ignores stays out. Of a nested repository only its link is taken, which `evidence` refuses.
        """
        _must(self.ours("add", "--all", "--", "."), "the session's files cannot be read")
        tree = _must(self.ours("write-tree"), "the session's files cannot be read").text.strip()
        if tree == _must(self.ours("rev-parse", f"{self.base}^{{tree}}"), "the base is not there").text.strip():
            return self.base
        made = self.ours("commit-tree", tree, "-p", self.base, "-m", message)
        return _must(made, "the session's work cannot be committed").text.strip()

    def publish(self, commit: str, ref: str) -> None:
        """Bring a commit into the user's repository under `ref` (a full name); nothing there is checked out or merged.

        A ref that is there is only moved forward: nothing that it holds is lost.
        """
        _must(
            git(
                self.repository,
                *("-c", "transfer.fsckObjects=true", "-c", "protocol.file.allow=always", "-c", "gc.auto=0"),
                *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"),
                str(self.shadow),
                f"{commit}:{ref}",
                timeout_s=_GIT_S,
            ),
            "the session's work cannot be brought into the repository",
        )

    def publish_new(self, commit: str, stem: str, n: int) -> tuple[str, str]:
        """Publish a commit under the first name from `stem-n` on that nobody has; returns the name and the commit.

        Whoever was killed right after it finds the same change under its name, and makes no second one.
        """
        while True:
            ref = f"{stem}-{n}"
            found = git(self.repository, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
            if not found.ok:
                self.publish(commit, ref)
                return ref, commit
            there = found.text.strip()
            parents = self.ours("rev-parse", f"{there}^@").text.split()
            if parents == [self.base] and self.ours("diff", "--quiet", there, commit).ok:
                return ref, there
            n += 1

    def keep(self, commit: str, ref: str) -> None:
        """Publish a commit under `ref` without losing what is there: that becomes a parent of it.

        A second session on an item begins anew, so that what the first had done is no ancestor of what it does.
        """
        found = git(self.repository, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if found.ok:
            before = found.text.strip()
            if self.ours("diff", "--quiet", before, commit).ok:
                return
            if not self.ours("merge-base", "--is-ancestor", before, commit).ok:
                message = self.ours("log", "-1", "--format=%s", commit).text.strip()
                joined = self.ours("commit-tree", f"{commit}^{{tree}}", "-p", commit, "-p", before, "-m", message)
                commit = _must(joined, "the session's work cannot be kept beside what was kept before").text.strip()
        self.publish(commit, ref)

    def remove(self) -> None:
        """Delete the session's files."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _must(result: GitResult, what: str) -> GitResult:
    if not result.ok:
        raise CloneProblem(
            f"{what}: {result.error.splitlines()[-1] if result.error else f'git exited with {result.code}'}"
        )
    return result


def in_progress(repository: Path) -> str | None:
    """Say what the user is in the middle of (a merge, a rebase); None when nothing."""
    folder = git(repository, "rev-parse", "--absolute-git-dir")
    if not folder.ok:
        return None
    found = next((name for name in _IN_PROGRESS if os.path.lexists(os.path.join(folder.text.strip(), name))), None)
    return None if found is None else f"{found} is there: a merge, rebase or bisect is going on"


def head(repository: Path) -> str:
    """Return the commit that HEAD of a repository is at; CloneProblem where there is none."""
    return _must(git(repository, "rev-parse", "--verify", "HEAD^{commit}"), f"{repository} has no commit").text.strip()


def make(repository: Path, folder: Path, *, base: str, branch: str, at: str | None = None) -> Clone:
    """Make a clone of `repository` in `folder`, on a branch of its own, knowing no remote.

    Its files are those of the commit `at` (None: of `base`); what is taken from it later is one commit on `base`. The
    folder is there whole or not at all, however this ends.
    """
    making = folder.with_name(f"{folder.name}.new")
    for old in (folder, making):
        if old.exists():
            shutil.rmtree(old)
    making.mkdir(parents=True, mode=0o700)
    _fill(Clone(repository, making, base), branch, at or base)
    (making / _BASE).write_text(base, "ascii")
    making.rename(folder)
    return Clone(repository, folder, base)


def left(repository: Path, folder: Path, base: str | None = None) -> Clone | None:
    """The clone that an interrupted session left in `folder`; None when there is none.

    `base`: what it was made from, should it not say so itself.
    """
    if (folder / _BASE).is_file():
        base = (folder / _BASE).read_text("ascii")
    return Clone(repository, folder, base) if base is not None and (folder / "tree").is_dir() else None


def _fill(clone: Clone, branch: str, at: str) -> None:
    """Make the agent's clone and our own repository over it."""
    repository, folder, base = clone.repository, clone.folder, clone.base
    options = ("--quiet", "--no-hardlinks", "--no-tags", "--no-checkout", "--template=")
    made = git(folder, "-c", "protocol.file.allow=always", "clone", *options, str(repository), "tree", timeout_s=_GIT_S)
    _must(made, "the repository cannot be cloned")
    _without_filters(clone.tree / ".git")
    _must(git(clone.tree, "checkout", "--quiet", "--no-track", "-b", branch, at, timeout_s=_GIT_S), "no checkout")
    # git leaves out what a partial clone does not hold, and says that all is well: the agent must not have removed it.
    if lacking := git(clone.tree, "ls-files", "--deleted", "-z").text.split("\0")[0]:
        raise CloneProblem(f"the repository is a partial clone that lacks files of its own, such as {lacking}")
    _must(git(clone.tree, "remote", "remove", "origin"), "the clone cannot be cut off from the repository")
    hashes = _must(git(repository, "rev-parse", "--show-object-format"), "no kind of object names").text.strip()
    ours = ("--bare", "--template=", f"--object-format={hashes}", _SHADOW)
    _must(git(folder, "init", "--quiet", *ours), "no place for the session's work")
    objects = _must(git(repository, "rev-parse", "--git-path", "objects"), "the repository has no objects").text.strip()
    alternates = clone.shadow / "objects" / "info" / "alternates"
    alternates.parent.mkdir(parents=True, exist_ok=True)
    alternates.write_text(f"{(repository / objects).resolve()}\n", "utf-8")
    _without_filters(clone.shadow)
    _must(clone.ours("read-tree", base), "the base is not there")


def _without_filters(folder: Path) -> None:
    """Keep programs that attributes name (clean and smudge filters, diff and merge drivers) from running."""
    info = folder / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text("* -filter !diff !merge\n", "utf-8")


def mark(repository: Path) -> str:
    """Return something that changes when the user's checkout, its refs or its git configuration do."""
    parts = [
        git(repository, "status", "--porcelain=v2", "-z", "--untracked-files=all", timeout_s=_GIT_S).out,
        git(repository, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/remotes").out,
        git(repository, "config", "--list", "--local", "-z").out,
    ]
    return hashlib.sha256(b"\0\0".join(parts)).hexdigest()


def ref_part(key: str) -> str:
    """Return an item's key as a part of a ref's name."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", key).strip("-")[:60]
    return name or "item"
