"""What differs between two configurations, as lines for people: every change with its old and new value."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from engine.contracts.spec import ProjectSpec
from engine.kit.safe_text import safe_line


def changes(old: ProjectSpec, new: ProjectSpec) -> list[str]:
    """Lines such as `jobs.docs.stages.read.concurrency: 4 → 8`, in the order of the new configuration."""
    return list(_differences("", _tree(old), _tree(new)))


def _tree(project: ProjectSpec) -> dict[str, Any]:
    return {
        "settings": _plain(project.settings),
        "resources": {resource.name: _plain(resource) for resource in project.resources},
        "backends": {backend.name: _plain(backend) for backend in project.backends},
        "models": {model.name: _plain(model) for model in project.models},
        "jobs": {job.name: _plain(job) for job in project.jobs},
    }


def _plain(value: Any) -> Any:
    """Frozen specs as nested dicts; a tuple of named parts becomes a dict by name."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        told.pop("name", None)
        return told
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple) and value and all(hasattr(part, "name") for part in value):
        return {part.name: _plain(part) for part in value}
    return list(value) if isinstance(value, tuple) else value


def _differences(path: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            inner = f"{path}.{key}" if path else key
            if key not in old:
                yield f"{inner}: added" + ("" if isinstance(new[key], dict) else f" ({_show(new[key])})")
            elif key not in new:
                yield f"{inner}: removed"
            else:
                yield from _differences(inner, old[key], new[key])
    elif old != new:
        yield f"{path}: {_show(old)} → {_show(new)}"


def _show(value: Any) -> str:
    return safe_line("none" if value is None or value in ("", []) else str(value), 200)
