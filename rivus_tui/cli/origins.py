"""Where each setting comes from: a flag, the environment, a person's deed on the screen, the file, or the default."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from engine.contracts.values import dataclass
from rivus_tui.cli.asked import Asked
from rivus_tui.cli.output import plain

if TYPE_CHECKING:
    from engine.contracts.spec import ProjectSpec

PRECEDENCE: Final = "a flag, then what a person has set by hand, then the environment, then jobs.yaml, then the default"
_VARIABLES: Final = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "TZ", "NO_COLOR", "VISUAL", "EDITOR")
"""Variables of the environment that Rivus goes by."""
_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
"""Such that may hold a password: whether they are set is all that is told."""

_WRITTEN: Final = {
    "daily_cost_usd_micros": ("daily_cost",),
    "grace_s": ("grace",),
    "http_allow": ("http", "allow"),
    "http_proxy": ("http", "proxy"),
}
"""Where settings stand in jobs.yaml, if not under their own names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """One value and where it comes from."""

    name: str
    value: Any
    source: str


def origins(asked: Asked, project: ProjectSpec) -> Iterator[Origin]:
    """Yield what holds here, each with its source: what flags can say first, jobs.yaml last."""
    yield _global("config", str(asked.config_file() or "built-in jobs"), "--config", asked.config is not None)
    yield _global("state_dir", str(asked.state_dir().path), "--state", asked.state is not None, "XDG_STATE_HOME")
    yield _global("theme", asked.theme or "as left", "--theme", asked.theme is not None)
    yield _global("mouse", asked.mouse, "--no-mouse", not asked.mouse)
    yield from _by_hand(asked)
    for name in (*_VARIABLES, *_PROXIES):
        if told := os.environ.get(name):
            yield Origin(name=name, value="set" if name in _PROXIES else told, source="environment")
    yield from _settings(project)


def _global(name: str, value: Any, flag: str, given: bool, variable: str = "") -> Origin:
    told = f"environment {variable}" if variable and os.environ.get(variable) else "default"
    return Origin(name=name, value=value, source=f"flag {flag}" if given else told)


def _by_hand(asked: Asked) -> Iterator[Origin]:
    reader = asked.reader()
    if reader is None:
        return
    try:
        limits = reader.limits()
    finally:
        reader.close()
    for limit in limits:
        if limit.instead_of is not None:
            says = limit.instead_of or "nothing"
            value = limit.capacity if limit.capacity is not None else limit.pace
            yield Origin(name=f"{limit.kind} {limit.name}", value=value, source=f"by hand; jobs.yaml says {says}")


def _settings(project: ProjectSpec) -> Iterator[Origin]:
    lines: dict[tuple[str | int, ...], int] = {}
    if project.source is not None:
        from engine.config.yaml_reader import read_yaml

        lines = dict(read_yaml(project.source).lines)
    for name, value in plain(project.settings).items():
        path = ("settings", *_WRITTEN.get(name, (name,)))
        source = f"{project.source}:{lines[path]}" if path in lines else "default"
        yield Origin(name=".".join(path), value=value, source=source)
