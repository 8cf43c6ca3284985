"""A person's own keys, from `keys.yaml`; read before the first paint, so nothing of the command line is imported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rivus_tui.keymap import PLAIN, Keymap, read

_LARGEST: Final = 100_000


def keymap_file() -> Path:
    """The file with a person's own keys; it need not exist."""
    import platformdirs

    return platformdirs.user_config_path("rivus") / "keys.yaml"


def own_keys() -> Keymap:
    """Return the keys of `keys.yaml`; a file that cannot be read is a problem of its own, told in help."""
    path = keymap_file()
    if not path.is_file():
        return PLAIN
    import yaml

    try:
        if path.stat().st_size > _LARGEST:
            return Keymap(problems=(f"larger than {_LARGEST:,} bytes",))
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return Keymap(problems=(f"cannot be read: {' '.join(str(error).split())}",))
    if told is None:
        return PLAIN
    if not isinstance(told, Mapping):
        return Keymap(problems=("needs lines such as `accept: A`",))
    return read({str(name): value for name, value in told.items()})
