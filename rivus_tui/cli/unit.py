"""`rivus serve --install`: a systemd user unit that keeps the engine of this project running."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Final

from rivus_tui.cli.asked import Asked

_UNIT: Final = """\
[Unit]
Description=Rivus on {title}

[Service]
ExecStart={line}
WorkingDirectory={folder}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
# 2: wrong configuration, 3: another engine runs here. Starting again mends neither.
RestartPreventExitStatus=2 3
TimeoutStopSec={stop_s}

[Install]
WantedBy=default.target
"""


def unit_name(asked: Asked) -> str:
    """Return the name of the unit: one per project."""
    mark = re.sub(r"[^A-Za-z0-9]+", "-", asked.state_dir().path.name).strip("-") or "project"
    return f"rivus-{mark}.service"


def unit_text(asked: Asked, *, grace_s: float) -> str:
    """Return the unit's text; `grace_s` is how long the engine lets running work end."""
    config = asked.config_file()
    words = [str(Path(sys.argv[0]).absolute()), "--state", str(asked.state_dir().path)]
    words += ["--config", str(config)] if config is not None else []
    return _UNIT.format(
        title=_plain(asked.root().name),
        line=" ".join(map(_quoted, [*words, "--trust", "--serve"])),
        folder=_escaped(str(asked.root())),
        stop_s=round(grace_s + 10),
    )


def install(asked: Asked, *, grace_s: float) -> Path:
    """Write the unit, for its owner's systemd; returns where. UseError where there is no systemd, or for a path that a
    unit cannot hold."""
    from engine.contracts.errors import UseError

    if sys.platform != "linux":
        raise UseError("systemd units are for Linux; let your system's own service manager run `rivus --serve`")
    for path in (asked.root(), asked.state_dir().path, asked.config_file()):
        if path is not None and re.search(r"[\x00-\x1f\x7f]", str(path)):
            raise UseError(f"{str(path)!r}: a path with control characters cannot stand in a unit")
    file = unit_file(asked)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(unit_text(asked, grace_s=grace_s), "utf-8")
    except OSError as error:
        raise UseError(f"{file}: the unit cannot be written: {error.strerror}") from error
    return file


def unit_file(asked: Asked) -> Path:
    """Where the unit of this project stands, if there is one."""
    return _folder() / unit_name(asked)


def _folder() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "systemd" / "user"


def _plain(text: str) -> str:
    return re.sub(r"[^ -~]", "?", text).replace("%", "%%")


def _escaped(text: str) -> str:
    """Text of a unit's setting: systemd expands `%`."""
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """One word of a command line: quoted, and nothing in it is expanded."""
    escaped = _escaped(word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$"))
    return f'"{escaped}"'
