"""Too little room on the disk of the state: nothing starts, people are told, and it goes on by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.spec import Settings
from engine.services import guards
from tests.factories import Rig, job, stage

EVERYTHING = 2**60


@pytest.mark.parametrize("is_told_late", [False, True])
async def test_full_disk_starts_nothing_is_told_and_is_over_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_told_late: bool
) -> None:
    monkeypatch.setattr(guards, "DISK_LOOK_S", 0.02)
    monkeypatch.setattr(guards, "FULL_LOOK_S", 0.02)

    async def work(_ctx: Any) -> dict[str, str]:
        return {}

    spec = job("docs", stage(handler="work"))
    settings = Settings(free_disk_bytes=EVERYTHING)
    async with Rig(tmp_path, spec, functions={"work": work}, settings=settings) as rig:

        def has_room(floor: int) -> None:
            guard = rig.runtime.guards
            guard.project = replace(guard.project, settings=Settings(free_disk_bytes=floor))

        await rig.until(lambda: "MB are free on the disk" in (rig.reader.status().problem or ""))
        await rig.add("a")
        assert rig.states("a")["work"] == "ready"
        if is_told_late:
            # Room is back while nothing can be written yet: the notice must not stay for ever.
            await rig.runtime._database.run(lambda connection: connection.execute("PRAGMA query_only = ON"))
            has_room(0)
            await rig.until(lambda: rig.runtime.writer.problem is not None)
            await rig.runtime._database.run(lambda connection: connection.execute("PRAGMA query_only = OFF"))
        has_room(0)
        await rig.until(lambda: rig.states("a")["work"] == "done" and rig.reader.status().problem is None)
