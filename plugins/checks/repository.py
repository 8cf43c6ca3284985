"""One repository as the rules of doc-health see it: which paths exist or once did, and what its documents are for."""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from engine.kit.files import FileProblem, list_files, read_text
from engine.kit.git import git, read_log

MARKDOWN: Final = (".md", ".markdown")
_TOO_LONG: Final = 124
"""Exit code of `engine.kit.git` for a git that took too long."""

_NOT_OURS_TEXT: Final = (
    "vendor vendors vendored third_party third-party thirdparty external externals extern deps node_modules "
    "bower_components site-packages venv fixtures fixture __fixtures__ testdata test-data test_data snapshots "
    "__snapshots__ mocks goldens golden corpus mdtest templates template cookiecutter dist"
)
_NOT_OURS: Final = frozenset(_NOT_OURS_TEXT.split())
_TEST_FOLDERS: Final = frozenset({"test", "tests", "__tests__", "spec", "specs", "e2e", "testing"})
_FORGE_TEMPLATE: Final = re.compile(
    r"(?:^|/)(?:pull_request_template|issue_template)(?:/|\.md$)|(?:^|/)\.changeset/", re.IGNORECASE
)
_INSTRUCTIONS: Final = re.compile(
    r"""(?:^|/)(?:
        (?:readme|contributing|claude|agents?|gemini|copilot-instructions|develop(?:ment|ing|er)?|hacking|building?
        |install(?:ation|ing)?|testing|architecture|maintain(?:ing|ers?)|releasing|setup|quick[-_]?start
        |getting[-_]?started|deploy(?:ment|ing)?|skill|conventions)
        (?:[._-][\w-]+)?\.(?:md|markdown))$
        |(?:^|/)\.(?:claude|cursor|agents|codex)/(?:commands|skills|agents|rules|docs)/""",
    re.IGNORECASE | re.VERBOSE,
)
_HISTORY_FILE: Final = re.compile(
    r"""(?:^|[-_.\d])(?:change[-_]?logs?|changes|history|news|release[-_]?notes?|releases|whats[-_]?new|migrat\w*|upgrad\w*|breaking
        |todos?|roadmap|backlog|ideas|notes|progress|plan|specs?|proposals?|rfc|prd|postmortem|audit|reports?
        |summary|status
        |analysis|strategy|completed?|results?|miles+tone\w*|tracker|review|retrospective|designs?|implementation)(?:[-_.\d]|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_DATED_FILE: Final = re.compile(
    r"\d{4}-?\d{2}-?\d{2}|^\d{3,}[-_]|(?:^|[-_])(?:adr|rfc|pr|qa|sr|issue|session|ticket)[-_]?\d+|(?:^|[-_])(?:critique|debate|log)$",
    re.IGNORECASE,
)
"""Names of documents that record one decision, change or day."""
_HISTORY_FOLDER: Final = re.compile(
    r"""(?:^|/)(?:adrs?|rfcs?|decisions|proposals?|plans?|specs?|blog|_?posts|news|releases?|release-notes|changelogs?|archived?|archives?
        |legacy|history|deprecated|old|reports?|audits?|sessions?|todos?|meetings?|worklog|logs|journal|research
        |keps|designs?|rc|prps?
        |issues?|analys[ie]s|(?:test-)?results?|implementations?|investigations?|summaries|handoffs?|tasks?
        |epics?|stories|tickets
        |milestones?|trackers?|completed?|done|evaluations?|phases?|sprints?|reviews?|retrospectives?|v\d[\w.]*)/""",
    re.IGNORECASE | re.VERBOSE,
)
_SITE_CONFIG: Final = re.compile(
    r"""(?:^|/)(?:mkdocs[\w.-]*\.ya?ml|zensical\.toml|docusaurus\.config\.\w+|sidebars\.\w+|conf\.py|_config\.ya?ml
        |hugo\.(?:toml|ya?ml)|antora\.yml|astro\.config\.\w+|mint\.json|docs\.json|docfx\.json|_toc\.ya?ml|SUMMARY\.md
        |\.vitepress/config\.\w+|_?meta\.(?:json|js|ts)|gatsby-config\.\w+|svelte\.config\.\w+|next\.config\.\w+
        |nuxt\.config\.\w+|typedoc\.json|book\.toml|\.eleventy\.js)$""",
    re.VERBOSE,
)


class Repository:
    """One folder, listed once."""

    def __init__(self, root: Path) -> None:
        listing = list_files(root)
        self.root = root
        self.by_git = listing.by_git
        self.unreadable = listing.unreadable
        self.files: frozenset[str] = frozenset(listing.files)
        self.folders = frozenset(_folders(listing.files))
        self._by_folder: defaultdict[str, list[str]] = defaultdict(list)
        for path in listing.files:
            self._by_folder[posixpath.dirname(path)].append(path)
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for path in sorted(self.files | self.folders):
            self._by_name[posixpath.basename(path)].append(path)

    @property
    def documents(self) -> list[str]:
        """Markdown files that speak about this repository: not those of others, of test data or of templates."""
        return [path for path in sorted(self.files) if path.lower().endswith(MARKDOWN) and self.is_ours(path)]

    def is_ours(self, path: str) -> bool:
        """Whether the file speaks about this repository, not about others and not as test data or template."""
        folders = [part.lower() for part in path.split("/")[:-1]]
        if _NOT_OURS.intersection(folders) or _FORGE_TEMPLATE.search(path) or "{" in path:
            return False
        # What a tool keeps for itself (`.agents/memory/…`) is no document of the project; its instructions are.
        hidden = any(part.startswith(".") and part != ".github" for part in folders)
        return not (hidden or self.is_test(path)) or bool(_INSTRUCTIONS.search(path))

    def is_test(self, path: str) -> bool:
        """Whether the file lies among tests, where names and ports are those of the tests."""
        return bool(_TEST_FOLDERS.intersection(part.lower() for part in path.split("/")[:-1]))

    def is_instruction(self, path: str) -> bool:
        """Whether the document says how to work with this repository (README, CONTRIBUTING, CLAUDE.md, …)."""
        return bool(_INSTRUCTIONS.search(path))

    def is_history(self, path: str) -> bool:
        """Whether the document tells of other times (changes, plans), so that what it names need not exist now."""
        name = posixpath.basename(path).rpartition(".")[0]
        return bool(_HISTORY_FILE.search(name) or _DATED_FILE.search(name) or _HISTORY_FOLDER.search(path))

    def is_site(self, path: str) -> bool:
        """Whether a site generator renders the document, with rules of its own for links."""
        name = posixpath.basename(path).lower()
        if "/" not in path or name.startswith(("readme", "contributing", "claude.", "agents.")):
            return False
        return any(folder == "" or path.startswith(f"{folder}/") for folder in self._site_folders)

    @cached_property
    def _site_folders(self) -> tuple[str, ...]:
        folders = {posixpath.dirname(path) for path in self.files if _SITE_CONFIG.search(path)}
        return tuple(sorted(folder.removesuffix("/.vitepress").removesuffix(".vitepress") for folder in folders))

    @cached_property
    def pages(self) -> frozenset[str]:
        """Names of Markdown files up to their first dot, lower case: what a site may make addresses of."""
        names = (posixpath.basename(path).lower() for path in self.files)
        return frozenset(name.partition(".")[0] for name in names if name.endswith((*MARKDOWN, ".mdx")))

    @cached_property
    def submodules(self) -> tuple[str, ...]:
        """Folders of submodules; their files are not listed."""
        if ".gitmodules" not in self.files:
            return ()
        return tuple(found[1].strip() for found in re.finditer(r"^\s*path\s*=\s*(.+)$", self.text(".gitmodules"), re.M))

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that a clone of this repository may have, lower case: its folder and its remote."""
        remote = git(self.root, "config", "--get", "remote.origin.url").text.strip()
        found = re.split(r"[/:]", remote.rstrip("/").removesuffix(".git"))
        parts = {self.root.resolve().name, found[-1], found[-2] if found[-1] == "repo" and len(found) > 1 else ""}
        return frozenset(part.lower() for part in parts if part)

    def text(self, path: str) -> str:
        """Return the text of a file that rules consult; empty when it cannot be read."""
        if path not in self.files:
            return ""
        try:
            return read_text(self.root, path)
        except FileProblem:
            return ""

    def exists(self, path: str) -> bool:
        """Whether the path is there, or nothing can be said of it: below a submodule or behind a symbolic link."""
        path = path.rstrip("/")
        if path in self.files or path in self.folders or path in ("", "."):
            return True
        if any(path == folder or path.startswith(f"{folder}/") for folder in self.submodules):
            return True
        parts = path.split("/")
        if any("/".join(parts[:end]) in self.files for end in range(1, len(parts))):
            return True
        try:
            return os.path.lexists(self.root / path)
        except (OSError, ValueError):
            return True

    def elsewhere(self, path: str) -> list[str]:
        """Return the files and folders whose path ends with this one."""
        path = path.strip("/")
        name = posixpath.basename(path)
        return [one for one in self._by_name.get(name, ()) if one == path or one.endswith(f"/{path}")]

    def named(self, name: str) -> list[str]:
        """Return the files and folders of this name."""
        return self._by_name.get(name, [])

    def mentions(self, word: str, besides: str) -> bool:
        """Whether a file other than `besides` and Markdown files holds this word; True where git cannot say."""
        if self.by_git:
            asked = git(
                self.root,
                "grep",
                "-qwFI",
                "--untracked",
                "-e",
                word,
                "--",
                ".",
                ":(exclude)*.md",
                f":(exclude,literal){besides}",
            )
            return asked.code != 1
        others = (path for path in sorted(self.files) if path != besides and not path.lower().endswith(MARKDOWN))
        return any(re.search(rf"\b{re.escape(word)}\b", self.text(path)) for path in others)

    def inside(self, folder: str) -> list[str]:
        """Return the files that lie in a folder itself."""
        return self._by_folder.get(folder, [])

    def ignored(self, paths: Iterable[str]) -> set[str] | None:
        """Return those of the paths that git would ignore; None when git did not say."""
        given = sorted(set(paths))
        if not self.by_git or not given:
            return set()
        asked = git(self.root, "check-ignore", "--no-index", "-z", "--stdin", stdin="\0".join(given).encode())
        return set(asked.text.split("\0")) if asked.code in (0, 1) else None

    def deleted(self, paths: Iterable[str]) -> dict[str, str] | None:
        """Return those of the paths, files or folders, that git once had, with the commit and day that removed each.

        None when the history could not be read in time; a repository without commits has none, which is an answer.
        """
        wanted = {path for path in paths if "\n" not in path}
        if not self.by_git or not wanted:
            return {}
        options = ("--no-renames", "--diff-filter=D", "--name-only", "--format=/%h %cs", "-z")
        # Paths go in by stdin: thousands of them do not fit on a command line.
        asked_for = "\n".join(("HEAD", "--", *(f":(literal){path}" for path in sorted(wanted))))
        asked = git(self.root, "log", *options, "--stdin", timeout_s=60.0, stdin=f"{asked_for}\n".encode())
        if asked.code == _TOO_LONG:
            return None
        found: dict[str, str] = {}
        for commit, files in read_log(asked.text):
            for file in files:
                part = file
                while part:
                    if part in wanted:
                        found.setdefault(part, commit)
                    part = posixpath.dirname(part)
        return found


def _folders(files: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for path in files:
        folder = posixpath.dirname(path)
        while folder and folder not in seen:
            seen.add(folder)
            yield folder
            folder = posixpath.dirname(folder)
