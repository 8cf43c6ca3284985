"""What a merge does to checkouts of every kind: it ends as git's own would, and steps on nobody's file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from plugins.maintenance import joined
from plugins.maintenance.landing import InTheWay, Plan, alone
from tests.plugins.maintenance.conftest import git

Step = Callable[[Path], None]


def write(path: Path, data: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def branch(repository: Path, before: Step, change: Step) -> None:
    """A commit on main, and a branch `work` with another one."""
    for step, name in ((before, "main"), (change, "work")):
        git(repository, "checkout", "--quiet", "-B", name)
        step(repository)
        git(repository, "add", "--all", "--force")
        git(repository, "commit", "--quiet", "--allow-empty", "--message", name)
    git(repository, "checkout", "--quiet", "main")


def land(repository: Path) -> None:
    with alone(repository) as checkout:
        ref, old = checkout.head
        assert ref is not None
        work = git(repository, "rev-parse", "work").strip()
        tree = joined.merged_tree(repository, old, work)
        checkout.land(Plan("work", ref, old, joined.committed(repository, tree, (old, work), "Merge")))
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "rev-parse", "HEAD^2").strip() == work


def lines_end_in_crlf(repository: Path) -> None:
    write(repository / ".gitattributes", "* text eol=crlf\n")


def file(repository: Path) -> None:
    write(repository / "place", "a file\n")


def folder(repository: Path) -> None:
    (repository / "place").unlink(missing_ok=True)
    write(repository / "place" / "deep" / "file", "in a folder\n")


def folder_becomes_file(repository: Path) -> None:
    (repository / "place" / "deep" / "file").unlink()
    (repository / "place" / "deep").rmdir()
    (repository / "place").rmdir()
    file(repository)


def links(repository: Path) -> None:
    os.symlink("a.txt", repository / "link")
    os.symlink("a.txt", repository / "other")


def links_change(repository: Path) -> None:
    (repository / "link").unlink()
    os.symlink("TODO.md", repository / "link")
    (repository / "other").unlink()


def odd_names(repository: Path) -> None:
    for name in ("a\nb", "-n", ":(top)x", '"q"'):
        write(repository / name, "odd\n")
    write(Path(os.fsdecode(os.fsencode(repository) + b"/\xff")), "odd\n")


def nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (lines_end_in_crlf, file),
        (file, folder),
        (folder, folder_becomes_file),
        (links, links_change),
        (nothing, odd_names),
    ],
)
def test_lands_as_git_would_have_it(repository: Path, before: Step, change: Step) -> None:
    branch(repository, before, change)
    land(repository)
    if before is lines_end_in_crlf:
        assert (repository / "place").read_bytes() == b"a file\r\n"


def test_sparse_checkout_stays_sparse(repository: Path) -> None:
    branch(repository, folder, lambda root: write(root / "place" / "deep" / "file", "changed\n"))
    git(repository, "sparse-checkout", "set", "--no-cone", "/*.txt")
    land(repository)
    assert not (repository / "place").exists()
    assert git(repository, "show", "HEAD:place/deep/file") == "changed\n"


def ignored(repository: Path) -> None:
    write(repository / "new.secret", "mine\n")


def assumed_to_be_unchanged(repository: Path) -> None:
    git(repository, "update-index", "--assume-unchanged", "a.txt")
    write(repository / "a.txt", "mine\n")


def link_that_leads_away(repository: Path) -> None:
    write(repository.parent / "away" / "mine", "mine\n")
    os.symlink("../away", repository / "place")


@pytest.mark.parametrize(
    ("change", "by_hand", "path"),
    [
        (lambda root: write(root / "new.secret", "theirs\n"), ignored, "new.secret"),
        (lambda root: write(root / "a.txt", "theirs\n"), assumed_to_be_unchanged, "a.txt"),
        (folder, link_that_leads_away, "place/deep/file"),
    ],
)
def test_what_git_does_not_look_at_is_not_stepped_on(repository: Path, change: Step, by_hand: Step, path: str) -> None:
    branch(repository, nothing, change)
    by_hand(repository)
    head = git(repository, "rev-parse", "HEAD")
    with pytest.raises(InTheWay, match=path):
        land(repository)
    mine = {"place/deep/file": repository.parent / "away" / "mine"}.get(path, repository / path)
    assert mine.read_text() == "mine\n"
    assert git(repository, "rev-parse", "HEAD") == head
    assert "refs/rivus" not in git(repository, "for-each-ref")


def test_an_old_git_comes_to_the_same(repository: Path) -> None:
    first, last = "1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5!\n"
    branch(repository, lambda root: write(root / "a.txt", first), lambda root: write(root / "a.txt", last))
    write(repository / "a.txt", "1!\n2\n3\n4\n5\n")
    git(repository, "mv", "TODO.md", "todo.md")
    git(repository, "commit", "--quiet", "--all", "--message", "Mine")
    tree = joined.merged_tree(repository, "main", "work")
    assert joined._by_an_old_git(repository, "main", "work") == tree
    assert git(repository, "show", f"{tree}:a.txt") == "1!\n2\n3\n4\n5!\n"
    write(repository / "a.txt", "1\n2\n3\n4\nmine\n")
    git(repository, "commit", "--quiet", "--all", "--message", "Mine")
    for merge in (joined.merged_tree, joined._by_an_old_git):
        with pytest.raises(joined.Conflict, match=r"^a\.txt$"):
            merge(repository, "main", "work")
    assert git(repository, "status", "--porcelain") == ""
