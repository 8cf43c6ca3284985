"""The commit that a merge comes to, made in the repository's objects alone: no file, index or branch is touched.

The box of the TODO is ticked in it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from engine.kit.git import GitResult, git
from plugins.maintenance.standing import CheckoutProblem, fields, must
from plugins.maintenance.task import Task
from plugins.todos.tick import tick

_GIT_S: Final = 120.0
_USAGE: Final = 129
"""Exit code of a git that does not know an option."""
_PLAIN: Final = ("100644", "100755")


class Conflict(Exception):
    """The two do not merge; the message names the files."""


def merged_tree(repository: Path, ours: str, theirs: str) -> str:
    """Merge two commits and return the tree; Conflict names the files that keep it from being whole."""
    options = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages")
    done = git(repository, *options, ours, theirs, timeout_s=_GIT_S)
    if done.code == _USAGE:
        return _by_an_old_git(repository, ours, theirs)
    told = fields(done)
    if done.code == 1 and told:
        raise Conflict(", ".join(filter(None, told[1:])) or "a conflict")
    return _first(done, told)


def _first(done: GitResult, told: list[str]) -> str:
    must(done, "git cannot merge")
    if not told:
        raise CheckoutProblem("git cannot merge: it said nothing")
    return told[0]


def _by_an_old_git(repository: Path, ours: str, theirs: str) -> str:
    """The same before git 2.38: in files and an index of its own, since it merges nowhere else."""
    base = must(git(repository, "merge-base", ours, theirs), "they have nothing in common").text.strip()
    with tempfile.TemporaryDirectory(prefix="rivus-merge-") as folder:
        tree, index = Path(folder, "tree"), Path(folder, "index")
        tree.mkdir()
        there = ("--git-dir", _git_dir(repository), "--work-tree", str(tree))
        for command in (
            ("read-tree", ours),
            ("checkout-index", "--quiet", "--all"),
            ("update-index", "-q", "--refresh"),
        ):
            must(git(tree, *there, *command, timeout_s=_GIT_S, index=index), "git cannot merge")
        done = git(tree, *there, "merge-recursive", base, "--", ours, theirs, timeout_s=_GIT_S, index=index)
        if not done.ok:
            found = git(tree, *there, "diff", "--name-only", "--diff-filter=U", "-z", index=index)
            raise Conflict(", ".join(fields(found)) or " ".join(done.error.split()) or "a conflict")
        return must(git(tree, *there, "write-tree", index=index), "git cannot merge").text.strip()


def _git_dir(repository: Path) -> str:
    told = must(git(repository, "rev-parse", "--absolute-git-dir"), "the repository cannot be read")
    return os.fsdecode(told.out.rstrip(b"\n"))


def committed(repository: Path, tree: str, parents: tuple[str, ...], message: str) -> str:
    """Commit a tree in the name of the repository's user; returns the commit."""
    options = [word for parent in parents for word in ("-p", parent)]
    made = must(git(repository, "commit-tree", tree, *options, "-m", message), "git could not commit the merge")
    return made.text.strip()


def ticked_tree(task: Task, root: Path, tree: str) -> str | None:
    """Return the tree with the task's box ticked; None where it has none there, or git does not know its file."""
    if task.path is None:
        return None
    place = Path(os.path.realpath(root)) / task.path
    if not place.is_relative_to(os.path.realpath(task.repository)):
        return None
    name = str(place.relative_to(os.path.realpath(task.repository)))
    told = fields(git(task.repository, "--literal-pathspecs", "ls-tree", "-z", tree, "--", name))
    mode = told[0].split(" ", 1)[0] if told else ""
    if mode not in _PLAIN:
        return None
    blob = must(git(task.repository, "cat-file", "blob", f"{tree}:{name}"), f"{task.path} cannot be read")
    with tempfile.TemporaryDirectory(prefix="rivus-tick-") as folder:
        file = Path(folder, "root") / task.path
        file.parent.mkdir(parents=True)
        file.write_bytes(blob.out)
        if not tick(Path(folder, "root"), task.path, task.text, task.line):
            return None
        index = Path(folder, "index")
        made = must(
            git(task.repository, "hash-object", "-w", "--stdin", stdin=file.read_bytes()), "the box cannot be ticked"
        ).text.strip()
        must(git(task.repository, "read-tree", tree, timeout_s=_GIT_S, index=index), "the box cannot be ticked")
        entry = os.fsencode(f"{mode} {made} 0\t{name}") + b"\0"
        done = git(task.repository, "update-index", "-z", "--index-info", stdin=entry, index=index)
        must(done, "the box cannot be ticked")
        return must(git(task.repository, "write-tree", index=index), "the box cannot be ticked").text.strip()
