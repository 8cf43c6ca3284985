"""Paths in backticks that this repository does not have."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from plugins.checks.document import Document, Span
from plugins.checks.finding import Finding
from plugins.checks.repository import Repository

_PATH: Final = re.compile(r"(\./)?([\w.@+-]+(?:/[\w.@+-]+)+)(/?)(?::\d+(?:[-:]\d+)?|#L\d+(?:-L?\d+)?|::[\w:.\[\]-]+)?$")
_EXTENSION: Final = re.compile(
    r"""\.(?:py|pyi|jsx?|tsx?|mjs|cjs|vue|svelte|go|rs|rb|java|kts?|c|h|cc|cpp|hpp|cs|swift|php|lua|exs?|erl|hs|scala|clj|r|jl
        |dart|zig|nim|sh|bash|mdx?|rst|txt|jsonc?|ya?ml|toml|ini|cfg|conf|xml|html|s?css|less|sql|proto|graphql
        |ipynb|tf|nix
        |mk|cmake|gradle|tcss|svg|png)$""",
    re.VERBOSE,
)
_PLACEHOLDER: Final = re.compile(
    r"""your|(?:^|/)my[_-]?|foo|(?:^|[/_-])bar\b|baz|example|sample|xxx|path/to|dummy|[Nn]ame|YYYY|NNN|\d{4}-\d\d|v\d+\.\d+|\d{3,}
        |(?:^|/)(?:some|new|name|file|module|component|feature|page|test_x|x|y)(?:[_.-]|/|$)""",
    re.VERBOSE,
)
_OTHER_READING: Final = re.compile(
    r"""\b(?:creat|add(?:s|ed|ing)?\b|new\b|generat|writ(?:e|es|ten|ing)\b|output|produc|sav(?:e|es|ed|ing)\b|would|will\b|should
        |delet|remov|renam|moved?\b|deprecat|no\ longer|former|previous|old\b|legacy|e\.g|for\ example
        |for\ instance|such\ as
        |like\b|your\b|if\b|repo\b|repository|optional|missing|plan|future|todo|not\ (?:yet|exist|found|in)
        |does(?:n.t|\ not)
        |never|instead|was\b|were\b|used\ to|ignored?\b|gitignore|upload|download|build|compil|artifact|cache
        |copy|copied|cp\b
        |place|put\b|local|user|project|custom|drop|example|template|replac|migrat|convert|split|extract|import)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words beside a path that let it mean something else than a file that is here now: to be made, gone, the reader's."""
_MADE_FOLDERS_TEXT: Final = (
    "dist build out target output outputs coverage node_modules .venv venv _build site generated gen tmp "
    "temp logs log bin obj cache .cache test-results playwright-report data .next .nuxt public artifacts "
    "results reports downloads models checkpoints wandb __pycache__ .git .vscode .idea .env secrets state"
)
_MADE_FOLDERS: Final = frozenset(_MADE_FOLDERS_TEXT.split())


def path_findings(repository: Repository, document: Document) -> Iterator[Finding]:
    """Find paths that a document names as if they were there.

    Surest is a path that git knows to be deleted; one that never was counts only in a document about how to work with
    the repository, below a folder that exists, in words that leave no other reading.
    """
    if repository.is_site(document.path):
        return
    for span in document.spans:
        yield from _span(repository, document, span)


def _span(repository: Repository, document: Document, span: Span) -> Iterator[Finding]:
    found = _PATH.match(span.text)
    if not found:
        return
    path = posixpath.normpath(found[2])
    parts = path.split("/")
    if (
        path.startswith("..")
        or _MADE_FOLDERS.intersection(parts[:-1])
        or not _EXTENSION.search(path)
        or _PLACEHOLDER.search(path)
    ):
        return
    bases = _bases(document.path)
    homes = [base for base in bases if posixpath.normpath(posixpath.join(base, parts[0])) in repository.folders]
    if not homes or repository.elsewhere(path):
        return
    # Folders of tools (`.vscode/…`) are the reader's own as often as this repository's.
    own = not parts[0].startswith(".") or parts[0] == ".github"
    if any(repository.exists(posixpath.normpath(posixpath.join(base, path))) for base in bases):
        return
    # A module is named without or with another ending than its file has (`./util.js` for `util.ts`).
    stem = posixpath.splitext(posixpath.basename(path))[0]
    beside = repository.inside(posixpath.dirname(posixpath.normpath(posixpath.join(homes[0], path))))
    if any(posixpath.basename(one).split(".")[0] == stem for one in beside):
        return
    home = posixpath.normpath(posixpath.join(homes[0], path))
    parent = posixpath.dirname(home)
    alike = repository.named(posixpath.basename(path))[:3]
    text = span.around + " " + " ".join(document.headings_at(span.line))
    near = homes[0] in ("", posixpath.dirname(document.path))
    # A note, a table or a report may be the reader's to write; code and its configuration are not.
    kept = bool(alike) or not re.search(r"\.(?:md|mdx|rst|txt|json|csv|xml|html|svg|png)$", path)
    sure = own and near and kept and repository.is_instruction(document.path) and parent in repository.folders
    if _OTHER_READING.search(text):
        return
    facts = [("Looked for", home)]
    if alike:
        facts.append(("Of that name", ", ".join(alike)))
    yield Finding(
        rule="path",
        type="missing-path",
        path=document.path,
        line=span.line,
        evidence=path,
        sentence=f"names {path}, which does not exist",
        missing=home,
        only_if_deleted=not sure,
        confidence="medium",
        facts=tuple(facts),
    )


def _bases(path: str) -> list[str]:
    folders = [posixpath.dirname(path)]
    while folders[-1]:
        folders.append(posixpath.dirname(folders[-1]))
    return folders[::-1]
