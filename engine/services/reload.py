"""Reload: a changed jobs.yaml is applied whole, or not at all, while the engine runs.

The file is looked at once a second. It is read again when it differs from the one in force and has stood still for two
looks (editors write in steps); one from which jobs have vanished must stand still twice as long. A broken file changes
nothing and is shown until it is mended. A changed file of the stages' code is taken too, once it can be parsed. SIGHUP
and the command `reload` ask for it at once, with the code of the handlers read anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from engine.config.load import load_project
from engine.config.resolve import forget
from engine.config.sources import Files, as_they_are, have_changed
from engine.contracts.errors import ConfigError, EngineStopped, StateError, Untrusted
from engine.contracts.spec import ProjectSpec
from engine.kit.clock import Clock
from engine.kit.safe_text import safe_line
from engine.kit.tasks import beside, end_task

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
SETTLED_LOOKS: Final = 2
SETTLED_LOOKS_REMOVAL: Final = 4
_READ_LIMIT: Final = 1 << 20


class Reload:
    """Watches one jobs.yaml; the built-in jobs are never reloaded."""

    def __init__(
        self,
        *,
        project: ProjectSpec,
        clock: Clock,
        apply: Callable[[ProjectSpec], Awaitable[list[str]]],
        tell: Callable[[str | None], Awaitable[None]],
        code: Callable[[], Files] = dict,
    ) -> None:
        """`apply` takes a new configuration and returns what changed; `tell` shows a problem, or takes it away; `code`
        gives the files that the stages' code was read from."""
        self._code = code
        self.project = project
        self._clock = clock
        self._apply = apply
        self._tell = tell
        self._in_force = _fingerprint(project.source)
        self._seen = self._in_force
        self._looks = 0
        self._code_looks = 0
        self._busy = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        if self.project.source is not None:
            self._task = asyncio.get_running_loop().create_task(self._loop(), name="reload")

    async def stop(self) -> None:
        """End."""
        await end_task(self._task)

    async def now(self) -> tuple[bool, str]:
        """Reload at once; returns whether it was applied, and a sentence."""
        if self.project.source is None:
            return False, "the built-in jobs have no file to reload"
        async with self._busy:
            return await self._reload(patient=False)

    async def take_code(self) -> None:
        """Take edited code without waiting for it to stand still: a person who mends it starts its work at once."""
        if self._task is None or not await beside(have_changed, self._code()):
            return
        async with self._busy:
            await self._reload(patient=True)

    async def again(self) -> None:
        """Apply the configuration in force anew: a person has set other limits than its own."""
        async with self._busy:
            await self._apply(self.project)

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
            except (StateError, EngineStopped):
                self._looks = 0  # the writer says why; it is looked at anew, and taken when it can be stored
            except Exception:
                log.exception("looking at the configuration failed")

    async def _look(self) -> None:
        found = await beside(_fingerprint, self.project.source)
        if found == self._in_force:
            if self._looks:
                await self._tell(None)  # put back as it was
            self._seen, self._looks = found, 0
            await self._look_at_code()
            return
        self._looks = self._looks + 1 if found == self._seen else 1
        self._seen = found
        if self._looks in (SETTLED_LOOKS, SETTLED_LOOKS_REMOVAL):
            async with self._busy:
                await self._reload(patient=self._looks < SETTLED_LOOKS_REMOVAL)

    async def _look_at_code(self) -> None:
        """The code of a stage was edited: new attempts run it, once all of it can be read as Python."""
        if not await beside(have_changed, self._code()):
            self._code_looks = 0
            return
        self._code_looks += 1
        if self._code_looks >= SETTLED_LOOKS:
            self._code_looks = 0
            async with self._busy:
                await self._reload(patient=False)

    async def _reload(self, *, patient: bool) -> tuple[bool, str]:
        """Read and apply; `patient`: leave a file from which jobs have vanished for a later look."""
        source = self.project.source
        assert source is not None
        before = await beside(_fingerprint, source)
        code = await beside(as_they_are, self._code())
        try:
            project = await beside(_load, source, self.project.root, self.project.trusted)
        except Untrusted as error:
            await self._tell(f"the changed configuration is not used: {error}")
            return False, f"nothing changed: {error}"
        except ConfigError as error:
            first = safe_line(str(error.problems[0]), 300)
            more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
            log.warning("the changed configuration is not used: %s%s", first, more)
            await self._tell(f"the changed configuration is not used: {first}{more}")
            return False, f"nothing changed: {first}{more}"
        if await beside(_fingerprint, source) != before:
            # Written while it was read: the next look sees it anew.
            self._looks = 0
            return False, "the file was changed while it was read; it will be read again"
        names = {job.name for job in project.jobs}
        if patient and any(job.name not in names for job in self.project.jobs):
            return False, "jobs have vanished from the file; it is looked at again before they are taken away"
        lines = await self._apply(project)
        self.project = project
        self._in_force = before
        await self._tell(None)
        for line in lines:
            log.info("configuration: %s", line)
        if any(code.get(path, seen) != seen for path, seen in self._code().items()):
            # Saved after it was imported, and before its version was taken: what runs is older than what is noted.
            await self._reload(patient=patient)
        n = len(lines)
        return True, f"reloaded, {n} {'change' if n == 1 else 'changes'}" + (f": {lines[0]}" if n == 1 else "")


def _load(source: Path, root: Path, trusted: bool) -> ProjectSpec:
    """Read the configuration with the code beside it as it is now."""
    forget(source.parent.absolute())
    return load_project(source, root, trusted=trusted)


def _fingerprint(path: Path | None) -> bytes | None:
    """SHA-256 of the file; None for one that is not there, and a mark of its own for one that cannot be read."""
    if path is None:
        return None
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.sha256(file.read(_READ_LIMIT)).digest()
    except OSError:
        return b"unreadable"
