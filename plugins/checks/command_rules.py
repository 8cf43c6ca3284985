"""Commands in documents that this repository does not have."""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from plugins.checks.commands import Command, commands_of
from plugins.checks.document import Document
from plugins.checks.finding import Finding
from plugins.checks.repository import Repository
from plugins.checks.targets import (
    JUSTFILES,
    MAKEFILES,
    TASKFILES,
    Targets,
    invoke_tasks,
    just_recipes,
    make_targets,
    npm_scripts,
    task_names,
)

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]*$")
_SCRIPT: Final = re.compile(r"(?:\./)?[A-Za-z_.][\w.-]*(?:/[\w.+-]+)*\.(?:sh|bash|zsh|py|js|mjs|cjs|ts|rb|pl|ps1|php)$")
_INTERPRETERS: Final = frozenset({"python", "python3", "bash", "sh", "zsh", "node", "ruby", "perl", "source"})
_MADE: Final = re.compile(
    r">\s|\s-[oO]\s|\btee\b|\btouch\b|\bcp\b|\bmv\b|\bln\b|\bcurl\b|\bwget\b|\bcreat|\bsave|\bdownload|\bgenerat|\bnew\b|\bwrite|\bvim?\b|\bnano\b",
    re.I,
)
_PLACEHOLDER: Final = re.compile(
    r"your|my[_-]|foo|bar\b|example|sample|some|xxx|path/to|placeholder|script\.\w+$|file\.\w+$", re.I
)
# npm's own words after `run` would be options; these are names that documents use for "any script".
_ANY: Final = frozenset(
    {"script", "target", "task", "command", "name", "recipe", "sure", "it", "the", "a", "foo", "bar"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Runner:
    rule: str
    files: tuple[str, ...]
    read: Callable[[Repository, str], Targets]
    what: str


_MAKE: Final = _Runner(rule="make", files=MAKEFILES, read=make_targets, what="target")
_NPM: Final = _Runner(rule="npm-run", files=("package.json",), read=npm_scripts, what="script")
_JUST: Final = _Runner(rule="just", files=JUSTFILES, read=just_recipes, what="recipe")
_TASKS: Final = _Runner(rule="task", files=TASKFILES, read=task_names, what="task")
_INVOKE: Final = _Runner(rule="invoke", files=("tasks.py",), read=invoke_tasks, what="task")

_DEFINES: Final = {
    "make": {"make", "makefile", "mk"},
    "just": {"just", "justfile", "make", "makefile"},
    "npm-run": {"json", "jsonc", "json5", "diff"},
    "task": {"yaml", "yml"},
    "invoke": {"python", "py"},
}
"""Languages of blocks that show a file of one's own for the runner: such a document explains the tool."""


class CommandRules:
    """The rules for commands on one repository; files of task runners are read once."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._targets: dict[tuple[str, str], Targets] = {}

    def findings(self, document: Document) -> Iterator[Finding]:
        """Find commands of one document that cannot work in this repository."""
        repository = self._repository
        if repository.is_site(document.path) and not repository.is_instruction(document.path):
            # The manual of a product speaks of the reader's project, not of this one.
            return
        for command in commands_of(repository, document):
            program, *rest = command.words
            match program:
                case "make" | "gmake":
                    yield from self._run(document, command, _MAKE, rest)
                case "npm" | "pnpm" | "yarn" | "bun" if rest[:1] in (["run"], ["run-script"]):
                    yield from self._run(document, command, _NPM, rest[1:])
                case "just":
                    yield from self._run(document, command, _JUST, rest)
                case "task":
                    yield from self._run(document, command, _TASKS, rest)
                case "inv" | "invoke":
                    yield from self._run(document, command, _INVOKE, rest)
                case "python" | "python3" | "py" if rest[:1] == ["-m"] and len(rest) > 1:
                    yield from self._module(document, command, rest[1])
                case _ if program in _INTERPRETERS and rest:
                    if "/" in rest[0].removeprefix("./"):
                        yield from self._script(document, command, rest[0])
                case _ if program.startswith("./"):
                    yield from self._script(document, command, program)

    def _run(self, document: Document, command: Command, runner: _Runner, rest: list[str]) -> Iterator[Finding]:
        if any(block.language in _DEFINES[runner.rule] and _shows(runner, block.text) for block in document.blocks):
            return
        wanted = _first_name(runner, rest)
        if wanted is None or wanted in _ANY or _PLACEHOLDER.search(wanted):
            return
        near = self._near(runner, command.bases)
        if near is None:
            return
        everywhere = [self._read(runner, path) for name in runner.files for path in self._repository.named(name)]
        # The reader may be meant to stand in another folder: only a name that none offers is surely wrong.
        if any(wanted in targets.names for targets in everywhere) or self._read(runner, near).open:
            return
        if runner.rule == "make":
            if any(self._repository.exists(posixpath.join(base, wanted)) for base in command.bases):
                return
            if any(targets.open for targets in everywhere):
                return
        said = f"{command.words[0]} {'run ' if runner.rule == 'npm-run' else ''}{wanted}"
        offered = sorted(self._read(runner, near).names)
        yield Finding(
            rule=runner.rule,
            type="unknown-command",
            path=document.path,
            line=command.line,
            evidence=said,
            sentence=f"says `{said}`, but {near} has no {runner.what} {wanted}",
            facts=(
                ("Command", " ".join(command.words)),
                ("Looked in", near),
                (f"{runner.what.title()}s", ", ".join(offered[:20])),
            ),
        )

    def _near(self, runner: _Runner, bases: tuple[str, ...]) -> str | None:
        for base in bases:
            for name in runner.files:
                path = posixpath.join(base, name)
                if path in self._repository.files:
                    return path
        return None

    def _read(self, runner: _Runner, path: str) -> Targets:
        if (runner.rule, path) not in self._targets:
            self._targets[runner.rule, path] = runner.read(self._repository, path)
        return self._targets[runner.rule, path]

    def _module(self, document: Document, command: Command, module: str) -> Iterator[Finding]:
        repository = self._repository
        parts = module.split(".")
        if not re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", module) or _PLACEHOLDER.search(module):
            return
        if parts[0] in sys.stdlib_module_names:
            return
        projects = [base for base in command.bases if not base or _is_project(repository, base)]
        starts = [posixpath.join(base, folder) if folder else base for base in projects for folder in ("", "src")]
        homes = [start for start in starts if f"{_joined(start, parts[0])}/__init__.py" in repository.files]
        path = "/".join(parts)
        if not homes or any(
            repository.elsewhere(f"{path}{end}") for end in (".py", "/__init__.py", "/__main__.py", ".pyx", ".so", "")
        ):
            return
        missing = f"{_joined(homes[0], path)}.py"
        yield Finding(
            rule="module",
            type="unknown-command",
            path=document.path,
            line=command.line,
            evidence=f"python -m {module}",
            sentence=f"runs `python -m {module}`, but there is no such module",
            missing=missing,
            facts=(("Looked for", missing),),
        )

    def _script(self, document: Document, command: Command, script: str) -> Iterator[Finding]:
        repository = self._repository
        plain = script.removeprefix("./")
        name = posixpath.basename(plain)
        if not _SCRIPT.match(script) or _PLACEHOLDER.search(plain) or repository.named(name):
            return
        if any(repository.exists(posixpath.normpath(posixpath.join(base, plain))) for base in command.bases):
            return
        folder = posixpath.dirname(plain)
        # Without history only a script below the document's own folder is surely meant to be here.
        homes = [
            base
            for base in command.bases[:1]
            if (not folder and not base and repository.is_instruction(document.path))
            or (folder and posixpath.normpath(posixpath.join(base, folder)) in repository.folders)
        ]
        if any(name in line and _MADE.search(line) for line in document.lines):
            return
        missing = posixpath.normpath(posixpath.join((homes or command.bases)[0], plain))
        yield Finding(
            rule="script",
            type="unknown-command",
            path=document.path,
            line=command.line,
            evidence=script,
            sentence=f"runs {script}, which does not exist",
            missing=missing,
            only_if_deleted=not homes,
            facts=(("Command", " ".join(command.words)), ("Looked for", missing)),
        )


def _is_project(repository: Repository, folder: str) -> bool:
    return any(f"{folder}/{name}" in repository.files for name in ("pyproject.toml", "setup.py", "setup.cfg"))


def _joined(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder else path


def _shows(runner: _Runner, text: str) -> bool:
    return runner.rule != "npm-run" or '"scripts"' in text


def _first_name(runner: _Runner, rest: list[str]) -> str | None:
    """Return the first target that is named, None when options make it unsure which file is meant."""
    for word in rest:
        if runner.rule == "make" and (_is_jobs(word) or re.match(r"[A-Za-z_]\w*[:?+]?=", word)):
            continue
        if word.startswith("-"):
            if word in ("-s", "--silent", "-k", "-B", "-i", "-n", "--if-present"):
                continue
            return None
        if not _NAME.match(word) or (runner.rule == "make" and "." in word) or word.endswith((":", ".", "-")):
            return None
        if runner.rule == "npm-run" and (len(word) == 1 or re.search(r"\.[cm]?[jt]sx?$", word)):
            return None
        return word
    return None


def _is_jobs(word: str) -> bool:
    return bool(re.fullmatch(r"-j\d*", word)) or word.isdigit()
