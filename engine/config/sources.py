"""The source of a project's own modules: found as the resolver would import them, read without importing anything."""

from __future__ import annotations

import json
import logging
import sys
import tokenize
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

import engine
from engine.contracts.spec import ProjectSpec, StageSpec
from engine.contracts.values import dataclass
from engine.rules.code.fingerprint import Fingerprint, NoSuchSymbol, SymbolPrint, extra, fingerprint
from engine.rules.code.module import Source, parse
from engine.rules.code.project import Project
from engine.rules.code.reading import Reading

_HOME: Final = Path(engine.__file__).parent.parent
_NEVER: Final = frozenset({"engine", "rivus_tui"})
"""What stages stand on is no part of their code: a new Rivus makes nothing stale."""
_LARGEST: Final = 1 << 20
_CONVENTIONS: Final = {"handler": "handle", "discovery": "discover"}

log = logging.getLogger(__name__)


class Sources:
    """Modules below the folder of jobs.yaml, and the plugins that come with Rivus."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is that of jobs.yaml; None for the built-in jobs."""
        self._folder = folder
        self.files: dict[str, tuple[int, int]] = {}
        self.absent: set[str] = set()
        """Where a module was looked for and is not."""

    def load(self, name: str) -> Source | None:
        """Return the source of a module by its dotted name; None when it is not the project's own."""
        top = name.partition(".")[0]
        if top in _NEVER or (top in sys.stdlib_module_names):
            return None
        for root in self._roots(top):
            for path, is_package in _candidates(root, name):
                if path.is_file():
                    return self._read(path, root, is_package)
                self.absent.add(str(path))
        return None

    def _roots(self, top: str) -> Iterable[Path]:
        if top == "plugins":
            yield _HOME
        if self._folder is not None:
            yield self._folder

    def _read(self, path: Path, root: Path, is_package: bool) -> Source | None:
        try:
            stat = path.stat()
            if stat.st_size > _LARGEST:
                return Source(text="\0", path=str(path.relative_to(root)), is_package=is_package)
            with tokenize.open(path) as stream:
                text = stream.read()
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            log.warning("%s cannot be read: %s", path, error)
            return Source(text="\0", path=str(path.relative_to(root)), is_package=is_package)
        self.files[str(path)] = (stat.st_mtime_ns, stat.st_size)
        return Source(text=text, path=str(path.relative_to(root)), is_package=is_package)


Files: TypeAlias = Mapping[str, tuple[int, int]]
"""Files that were read: path → (time of change in ns, size)."""


Prints: TypeAlias = dict[tuple[str, str], Fingerprint]
"""(Job, stage) → fingerprint of its code; (job, ``) → that of its discovery."""


@dataclass(frozen=True, slots=True)
class Read:
    """What the code of a project was at one moment."""

    prints: Prints
    files: Files
    absent: frozenset[str]
    """Where a module was looked for and is not."""


def read_stages(project: ProjectSpec) -> Read:
    """Return the fingerprint of each stage and of each discovery, with what they were read from.

    A stage whose function is not the project's own has none: its code is unknown.
    """
    sources = Sources(project.source.parent.absolute() if project.source else None)
    reading = Reading(Project(sources.load))
    found: Prints = {}
    for job in project.jobs:
        for stage in job.stages:
            _take(found, (job.name, stage.name), reading, stage.handler, "handler", _extras(project, stage))
        if job.discovery is not None:
            params = [extra("params", _params(job.discovery.params))] if job.discovery.params else []
            _take(found, (job.name, ""), reading, job.discovery.use, "discovery", params)
    return Read(found, sources.files, frozenset(sources.absent))


def _take(
    found: Prints,
    key: tuple[str, str],
    reading: Reading,
    dotted: str,
    kind: str,
    extras: list[SymbolPrint],
) -> None:
    module, function = split(reading, dotted, kind)
    try:
        found[key] = fingerprint(reading, module, function, extras=extras)
    except NoSuchSymbol as error:
        log.info("the code of %s is unknown: %s", ".".join(filter(None, key)), error)
    except RecursionError:
        log.warning("the code of %s is nested too deeply to be read", ".".join(filter(None, key)))


def split(reading: Reading, dotted: str, kind: str) -> tuple[str, str]:
    """Return (module, function) that a dotted name of jobs.yaml stands for."""
    if reading.project.module(dotted) is not None:
        parent, _, last = dotted.rpartition(".")
        package = reading.project.module(parent) if parent else None
        if package is None or last not in package.bindings:
            return dotted, _CONVENTIONS[kind]
    module, _, function = dotted.rpartition(".")
    return module, function


def _extras(project: ProjectSpec, stage: StageSpec) -> list[SymbolPrint]:
    """What is not code and changes an output all the same: params, the model, declared files and packages."""
    found = []
    if stage.params:
        found.append(extra("params", _params(stage.params)))
    if stage.model is not None:
        found.append(extra("model", stage.model))
    for pattern in stage.reads:
        for path in sorted(project.root.glob(pattern)):
            if path.is_file():
                name = str(path.relative_to(project.root))
                found.append(extra(f"file {name}", _text(path)))
    if stage.packages:
        # It brings email, zipfile and thirty more with it, and few stages name a package.
        from importlib.metadata import PackageNotFoundError, version
    for package in stage.packages:
        try:
            found.append(extra(f"package {package}", version(package)))
        except PackageNotFoundError:
            found.append(extra(f"package {package}", "not installed"))
    return found


def _params(params: Mapping[str, Any]) -> str:
    return json.dumps(params, indent=1, sort_keys=True, default=str, ensure_ascii=False)


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[:_LARGEST].decode("utf-8", "surrogateescape")
    except OSError as error:
        return f"cannot be read: {error}"


def as_they_are(files: Files) -> Files:
    """The same files as they are now, but for those that are gone."""
    found = {}
    for path in files:
        with suppress(OSError):
            stat = Path(path).stat()
            found[path] = (stat.st_mtime_ns, stat.st_size)
    return found


def are_as_read(files: Files) -> bool:
    """Whether each of these files is as it was read; any other state, a broken one too, is not."""
    try:
        stats = [(Path(path).stat(), seen) for path, seen in files.items()]
    except OSError:
        return False
    return all((stat.st_mtime_ns, stat.st_size) == seen for stat, seen in stats)


def have_changed(files: Files) -> bool:
    """Whether one of these files is not as it was read, and all of them can be read as Python now."""
    changed = []
    for path, seen in files.items():
        try:
            stat = Path(path).stat()
        except OSError:
            return False  # an editor is about to put it back, or it is gone: only a person's reload takes it away
        if (stat.st_mtime_ns, stat.st_size) != seen:
            changed.append(path)
    return bool(changed) and all(
        parse(path, Source(text=_text(Path(path)), path=path)).problem is None for path in changed
    )


def _candidates(root: Path, name: str) -> Iterable[tuple[Path, bool]]:
    if all(part.isidentifier() for part in name.split(".")):
        yield root.joinpath(*name.split("."), "__init__.py"), True
        yield root.joinpath(*name.split(".")).with_suffix(".py"), False
