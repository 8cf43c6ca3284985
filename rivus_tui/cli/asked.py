"""What the global options say, and what follows from it: which configuration, which folder, which state directory."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from engine.contracts.values import dataclass

if TYPE_CHECKING:
    from engine.contracts.spec import ProjectSpec
    from engine.store.reader import Reader
    from engine.store.state_dir import StateDir


@dataclass(frozen=True, slots=True)
class Asked:
    """Global options."""

    state: Path | None = None
    config: Path | None = None
    read_only: bool = False
    """The control room only looks."""
    trust: bool = False
    """The code beside jobs.yaml may run, now and later."""
    sample: bool = False
    """The configuration is a copy of one that is shipped with Rivus: its code runs, and nothing is remembered."""
    theme: str | None = None
    """Colours of the control room; None: as last time."""
    mouse: bool = True
    """Whether the control room takes the mouse; without, the terminal selects text with it."""
    link: str | None = None
    """Where the control room opens; None: where it was left."""
    fresh: bool = False
    """Whether the control room forgets how it was left."""

    def config_file(self) -> Path | None:
        """The jobs.yaml to use; None for the built-in jobs."""
        from engine.config.find import find_config

        if self.config is not None:
            from engine.contracts.errors import UseError

            if not self.config.exists():
                raise UseError(f"{self.config}: there is no such file (--config)")
            return self.config.absolute()
        return find_config(Path.cwd())

    def root(self) -> Path:
        """The project's folder."""
        config = self.config_file()
        return config.parent if config is not None else _project_root(Path.cwd())

    def state_dir(self) -> StateDir:
        """The state directory: `--state`, or one per project below the user's state folder."""
        from engine.store.state_dir import StateDir

        if self.state is not None:
            return StateDir(self.state.absolute())
        import hashlib
        import os

        import platformdirs

        root = Path(os.path.realpath(self.root()))
        mark = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:8]
        return StateDir(platformdirs.user_state_path("rivus") / f"{root.name or 'root'}-{mark}")

    def project(self) -> ProjectSpec:
        """Load and validate the configuration; ConfigError carries every problem.

        Nothing of a folder that nobody has trusted is imported: a person is asked once, without one it is Untrusted.
        """
        from engine.config.load import load_project
        from engine.contracts.errors import Untrusted
        from rivus_tui.cli import trust

        config = self.config_file()
        if config is None or self.sample:
            return load_project(config, self.root())
        if self.trust:
            trust.remember(config)
        try:
            return load_project(config, self.root(), trusted=self.trust or trust.is_trusted(config))
        except Untrusted as error:
            if not trust.ask(config, str(error)):
                raise
        return load_project(config, self.root())

    def settle_trust(self) -> None:
        """Ask now what would be asked when the engine of a control room starts, while the terminal is still free."""
        config = self.config_file()
        if config is None or self.sample:
            return
        from rivus_tui.cli.trust import is_trusted

        if not is_trusted(config):
            self.project()

    def reader(self) -> Reader | None:
        """A reader of this project's state, or None when there is none yet; StateError when it cannot be read."""
        import sqlite3

        from engine.contracts.errors import StateError, UseError
        from engine.store.migrate import check
        from engine.store.reader import Reader

        state = self.state_dir()
        if state.path.exists() and not state.path.is_dir():
            raise UseError(f"{state.path}: not a directory; choose another with --state DIR")
        if not state.database.exists():
            return None
        check(state.database)
        try:
            return Reader(state, project=self.root().name)
        except sqlite3.Error as error:
            raise StateError(
                f"{state.database}: the state file cannot be read ({error}); restore a backup, or move it away"
            ) from error


@functools.cache
def _project_root(folder: Path) -> Path:
    """The repository that a folder lies in; git is asked once."""
    from engine.config.find import project_root

    return project_root(folder)
