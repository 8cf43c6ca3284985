"""Import a module of somebody else without waiting for ever: one that hangs at import must not hang the start.

The import runs in a thread of its own. One that is not done in time is given up; its thread lives on, holding the
module's import lock, so the same name is refused at once until it is done after all.
"""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType
from typing import Final

IMPORT_S: Final = 20.0
"""The slowest honest imports (models, data) take a few seconds."""

_given_up: dict[str, threading.Thread] = {}


class ImportHangs(ImportError):
    """The import is not done."""


def import_in_time(name: str) -> ModuleType:
    """Import a module; raises what its code raises, or ImportHangs."""
    if name in sys.modules and name not in _given_up:
        return importlib.import_module(name)
    hung = next(
        (one for one, thread in _given_up.items() if f"{name}.".startswith(f"{one}.") and thread.is_alive()), None
    )
    if hung is not None:
        raise ImportHangs(f"the import of `{hung}` is still not done")
    found: list[ModuleType | BaseException] = []

    def load() -> None:
        try:
            found.append(importlib.import_module(name))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=load, daemon=True, name=f"import {name}")
    thread.start()
    thread.join(IMPORT_S)
    if not found:
        _given_up[name] = thread
        raise ImportHangs(f"the import was not done after {IMPORT_S:g} s")
    _given_up.pop(name, None)
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]
