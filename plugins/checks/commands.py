"""Commands that a document tells its reader to type, with the folder that they are typed in."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from plugins.checks.document import Block, Document
from plugins.checks.repository import Repository

_SHELLS: Final = frozenset(
    {"sh", "bash", "shell", "zsh", "console", "shell-session", "shellsession", "terminal", "fish"}
)
_PROMPT: Final = re.compile(r"\s*(?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.-]+[:\w~/ -]*)?[$%❯»]\s+")
_HEREDOC: Final = re.compile(r"<<-?\s*[\"']?(\w+)")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_WRAPPERS: Final = {
    ("sudo",),
    ("time",),
    ("exec",),
    ("poetry", "run"),
    ("uv", "run"),
    ("pipenv", "run"),
    ("pdm", "run"),
    ("hatch", "run"),
    ("rye", "run"),
    ("npx", "dotenv", "--"),
}
_ELSEWHERE: Final = re.compile(
    r"""\b(?:git\ clone|npx\ (?:-y\ |--yes\ )?create-|npm\ (?:create|init)|(?:yarn|pnpm|bun)\ create|cargo\ (?:new|init)
        |rails\ new|django-admin|startproject|cookiecutter|degit|nest\ new|ng\ new|mix\ phx\.new
        |composer\ create-project
        |dotnet\ new|mkdir|copier\ copy)\b""",
    re.VERBOSE,
)
_SUPPOSED: Final = re.compile(
    r"""\b(?:would|will|could|propos|plan(?:s|ned)?\b|future|remov|renam|deprecat|no\ longer|instead\ of|replac
        |was\b|were\b|example|e\.g|such\ as|not\ yet|missing|add\ an?\b|your\b|(?<!you\ )(?<!we\ )should)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words that make a command in running text something other than what to type here and now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One simple command."""

    words: tuple[str, ...]
    """Program first, without `sudo`, assignments and runners in front."""
    line: int
    bases: tuple[str, ...]
    """Folders of the repository that it may be meant for, most likely first; "" is the root."""


def commands_of(repository: Repository, document: Document) -> Iterator[Command]:
    """Return the commands of shell blocks and of code spans, in the order of their kind.

    A block that goes to a folder that this repository does not have ends what can be said of it; so does everything
    after it in the document, until a block goes to this repository.
    """
    default = _bases(document.path)
    lost = False
    for block in document.blocks:
        lines = list(_shell_lines(block))
        if not lines:
            continue
        bases: tuple[str, ...] | None = None if lost else default
        for line, text in lines:
            for words in _simple_commands(text):
                if words[0] in ("cd", "pushd"):
                    bases = _gone_to(repository, words, bases, default)
                    lost = bases is None
                elif bases is not None:
                    yield Command(words=words, line=line, bases=bases)
            if bases is not None and _ELSEWHERE.search(text) and not _clones(repository, text):
                bases, lost = None, True
    for span in document.spans:
        if _SUPPOSED.search(span.around):
            continue
        for words in _simple_commands(span.text):
            yield Command(words=words, line=span.line, bases=default)


def _bases(path: str) -> tuple[str, ...]:
    """Return the folder of the document and those above it."""
    folders = [posixpath.dirname(path)]
    while folders[-1]:
        folders.append(posixpath.dirname(folders[-1]))
    return tuple(folders)


def _shell_lines(block: Block) -> Iterator[tuple[int, str]]:
    """Return the lines of a block that are commands, continuation lines joined to the first."""
    lines = block.text.splitlines()
    prompted = any(_PROMPT.match(line) for line in lines)
    if block.language not in _SHELLS and not (block.language in ("", "text", "txt") and prompted):
        return
    skip_to = ""
    pending = ""
    first = 0
    for number, line in enumerate(lines, start=block.line):
        if skip_to:
            skip_to = "" if line.strip() == skip_to else skip_to
            continue
        if not pending:
            if prompted and not _PROMPT.match(line):
                continue
            line = _PROMPT.sub("", line, count=1) if prompted else line
            first = number
        if line.rstrip().endswith("\\"):
            pending += line.rstrip()[:-1] + " "
            continue
        whole, pending = pending + line, ""
        if found := _HEREDOC.search(whole):
            skip_to = found[1]
        yield first, whole


def _simple_commands(text: str) -> Iterator[tuple[str, ...]]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        tokens = list(lexer)
    except ValueError:
        return
    current: list[str] = []
    for token in [*tokens, ";"]:
        if token and not token.strip(";&|"):
            if words := _unwrapped(current):
                yield words
            current = []
        else:
            current.append(token)


def _unwrapped(words: list[str]) -> tuple[str, ...]:
    while words:
        if _ASSIGNMENT.match(words[0]):
            words = words[1:]
            continue
        for wrapper in _WRAPPERS:
            if tuple(words[: len(wrapper)]) == wrapper and len(words) > len(wrapper):
                words = words[len(wrapper) :]
                break
        else:
            break
    return tuple(words)


def _gone_to(
    repository: Repository, words: tuple[str, ...], bases: tuple[str, ...] | None, default: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the folders after a `cd`; None when it leads to a place that this repository does not have."""
    if len(words) != 2:
        return None
    target = words[1].rstrip("/")
    name = posixpath.basename(target)
    if name.lower() in repository.names:
        return default
    for base in bases or ():
        path = posixpath.normpath(posixpath.join(base, target))
        if path in repository.folders:
            return (path,)
        if path == "." or (target and not path.startswith("..") and path == base):
            return default
    if bases is not None and set(target.split("/")) <= {"..", "."}:
        return default
    return None


def _clones(repository: Repository, text: str) -> bool:
    """Whether the line brings this very repository."""
    found = re.search(r"\bgit clone\b.*?([\w.-]+?)(?:\.git)?/?(?:\s|$)", text)
    cloned = re.findall(r"[/:]([\w.-]+?)(?:\.git)?(?:[\s/'\"]|$)", text)
    return bool(found) and any(name.lower() in repository.names for name in cloned)
