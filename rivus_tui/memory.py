"""What the control room remembers of a project between two runs: screen, scope, filters, orders, theme, saved views."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, field
from pathlib import Path
from typing import Any, Final

from engine.contracts.values import dataclass

_VERSION: Final = 1
_MOST_VIEWS: Final = 50


@dataclass(kw_only=True, slots=True)
class View:
    """How one list is shown."""

    mode: str
    filter: str = ""
    scope: str = "all"
    sort: str = ""
    reverse: bool = False


@dataclass(kw_only=True, slots=True)
class Memory:
    """Kept in a file of the state directory; without one, for this run only."""

    path: Path | None = None
    mode: str = ""
    scope: str = ""
    theme: str = ""
    seen_at: int = 0
    """When the room was left last, ms UTC; 0: never."""
    lists: dict[str, View] = field(default_factory=dict)
    """How each screen was shown last."""
    views: dict[str, View] = field(default_factory=dict)
    """Views that a person named."""
    problem: str = ""
    """Why what was remembered could not be used."""

    def save_view(self, name: str, view: View) -> None:
        """Keep a view under a name; the oldest one goes when there are too many."""
        self.views.pop(name, None)
        self.views[name] = view
        while len(self.views) > _MOST_VIEWS:
            del self.views[next(iter(self.views))]
        self.write()

    def write(self) -> None:
        """Replace the file at once; what cannot be written is not worth a word."""
        if self.path is None:
            return
        text = json.dumps(
            {
                "version": _VERSION,
                "mode": self.mode,
                "scope": self.scope,
                "theme": self.theme,
                "seen_at": self.seen_at,
                "lists": {name: asdict(view) for name, view in self.lists.items()},
                "views": {name: asdict(view) for name, view in self.views.items()},
            },
            ensure_ascii=False,
            indent=1,
        )
        with contextlib.suppress(OSError):
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix="ui-", suffix=".tmp")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(self.path)


def recall(path: Path) -> Memory:
    """Return what was remembered; a file that cannot be read is put aside, and said so."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["version"] != _VERSION:
            return Memory(path=path)
        return Memory(
            path=path,
            mode=str(told["mode"]),
            scope=str(told["scope"]),
            theme=str(told["theme"]),
            seen_at=int(told.get("seen_at", 0)),
            lists={str(name): _view(view) for name, view in told["lists"].items()},
            views={str(name): _view(view) for name, view in told["views"].items()},
        )
    except FileNotFoundError:
        return Memory(path=path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        bad = path.with_suffix(".bad")
        with contextlib.suppress(OSError):
            path.replace(bad)
        return Memory(path=path, problem=f"what was remembered of this room cannot be read; it lies in {bad.name} now")


def _view(told: Mapping[str, Any]) -> View:
    return View(
        mode=str(told["mode"]),
        filter=str(told["filter"])[:1_000],
        scope=str(told["scope"]),
        sort=str(told["sort"]),
        reverse=bool(told["reverse"]),
    )
