"""Configurations that were checked before: pydantic and YAML are loaded only for a file that nobody has checked yet.

To load both, to build the models and to check a file with them was a quarter of all that had to be done until the
first handler ran. What came of it is kept in the user's cache under all that it follows from: the bytes of the file,
Python, and the code that checks (time of change and size). It is what the models gave, not the project that is built of
it: names are resolved, and what keys say together is checked, at every start. A file with an error is never kept, and
a cache that cannot be read, or was not written by this user alone, is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import platformdirs

import engine
from engine.config import kept
from engine.config.document import Document
from engine.config.timezone import is_zone

if TYPE_CHECKING:
    from engine.config.model import ProjectKeys, StageKeys

_OWN: Final = ("config", "contracts", "rules")
"""Folders of the engine that hold the models, and all that their validators call."""
_LIBRARIES: Final = ("pydantic", "pydantic_core", "yaml", "cronsim")

log = logging.getLogger(__name__)


class Checked(NamedTuple):
    """What came of a file in which nothing is wrong that a single key can say."""

    document: Document
    keys: ProjectKeys
    bare: StageKeys
    """A stage of which nothing is said."""


class _Kept:
    """Keys as they were kept; to whoever reads them the same as the model."""

    def __init__(self, fields: dict[str, Any], extra: dict[str, Any] | None) -> None:
        self.__dict__ = fields
        self.model_extra = extra

    __slots__ = ("__dict__", "model_extra")


def load(raw: bytes) -> Checked | None:
    """What came of these bytes the last time; None when they have to be checked."""
    try:
        text = kept.load(_file(raw))
        if text is None:
            return None
        lines, keys, bare = json.loads(text)
        document = Document(value=None, lines={tuple(path): line for path, line in lines})
        found = Checked(document, cast("ProjectKeys", _decode(keys)), cast("StageKeys", _decode(bare)))
        zone = found.keys.settings.timezone
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        log.info("the checked configuration that was kept is not used: %s", error)
        return None
    # Which time zones there are is a matter of the machine, not of the file.
    return found if not zone or is_zone(zone) else None


def store(raw: bytes, checked: Checked) -> None:
    """Keep what came of these bytes."""
    lines = [(path, line) for path, line in checked.document.lines.items()]
    try:
        kept.store(_file(raw), json.dumps([lines, _encode(checked.keys), _encode(checked.bare)]))
    except (OSError, ValueError, TypeError) as error:
        log.info("the checked configuration cannot be kept: %s", error)


def _file(raw: bytes) -> Path:
    home = os.path.dirname(engine.__file__)
    own = [_stamp(entry) for name in _OWN for entry in os.scandir(os.path.join(home, name)) if entry.name[-3:] == ".py"]
    specs = [find_spec(name) for name in _LIBRARIES]
    libraries = [(spec.origin, os.stat(spec.origin).st_mtime_ns) for spec in specs if spec and spec.origin]
    basis = repr((engine.__version__, sys.version, sorted(own), libraries)).encode("utf-8", "surrogateescape")
    return platformdirs.user_cache_path("rivus") / "config" / f"{hashlib.sha256(basis + raw).hexdigest()}.json"


def _stamp(entry: os.DirEntry[str]) -> tuple[str, int, int]:
    found = entry.stat()
    return entry.path, found.st_mtime_ns, found.st_size


def _encode(value: Any) -> Any:
    """As JSON: what is no plain value is a list that begins with what it is; TypeError for anything else."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if hasattr(value, "model_extra"):
        extra = value.model_extra
        return ["keys", _members(vars(value)), None if extra is None else _members(extra)]
    if type(value) is dict:
        return ["dict", _members(value)]
    if type(value) in (list, tuple):
        return [type(value).__name__, [_encode(one) for one in value]]
    raise TypeError(f"{type(value).__name__} is not kept")


def _members(values: dict[Any, Any]) -> dict[str, Any]:
    if not all(type(name) is str for name in values):
        raise TypeError("a key is no text")
    return {name: _encode(value) for name, value in values.items()}


def _decode(told: Any) -> Any:
    if type(told) is not list:
        return told
    kind, inside, *more = told
    if kind == "list":
        return [_decode(one) for one in inside]
    if kind == "tuple":
        return tuple([_decode(one) for one in inside])
    values = {name: _decode(value) if type(value) is list else value for name, value in inside.items()}
    if kind == "dict":
        return values
    if kind != "keys":
        raise ValueError(f"there is no kind `{kind}`")
    (extra,) = more
    return _Kept(values, None if extra is None else {name: _decode(value) for name, value in extra.items()})
