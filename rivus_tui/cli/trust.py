"""Who may run: a jobs.yaml whose code comes with the folder is code, and the first use of it asks once.

What was allowed is remembered by the path of the file, not by its content: the file names code whose content no hash
of the file covers, and whoever works on it changes both all day. `--trust` says yes beforehand.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def store_file() -> Path:
    """Where it stands which jobs.yaml may run; it need not exist."""
    import platformdirs

    return platformdirs.user_state_path("rivus") / "trusted.json"


def _known() -> list[str]:
    try:
        told = json.loads(store_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [path for path in told if isinstance(path, str)] if isinstance(told, list) else []


def is_trusted(config: Path) -> bool:
    """Whether the code beside this jobs.yaml may run: somebody said so, or it is that of the running Rivus itself."""
    from engine.config.find import is_own

    return is_own(config) or os.path.realpath(config) in _known()


def remember(config: Path) -> None:
    """Allow the code beside this jobs.yaml from now on; where that cannot be stored, only this time."""
    if is_trusted(config):
        return
    store = store_file()
    new = store.with_suffix(f".{os.getpid()}")
    try:
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(sorted({*_known(), os.path.realpath(config)}), file, indent=1)
        os.replace(new, store)
    except OSError as error:
        sys.stderr.write(f"trusted this time only: {store} cannot be written: {error.strerror}\n")


def ask(config: Path, why: str) -> bool:
    """Ask the person at the terminal; False where there is none, or for a no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    # Here and nowhere before: the first screen does not wait for it.
    import shutil
    import textwrap

    import click

    from engine.kit.safe_text import safe_line

    # Broken at blanks here: a narrow terminal would break it in the middle of a word. A path that is longer than the
    # terminal stays whole, to be copied.
    width = max(shutil.get_terminal_size().columns - 1, 20)
    for text in (safe_line(why), f"The code beside {safe_line(str(config))} has not run here before."):
        click.echo(textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False), err=True)
    if not click.confirm("May it run?", default=False, err=True):
        return False
    remember(config)
    return True
