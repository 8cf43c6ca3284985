"""`rivus demo`: a project that has every state, in an empty folder, without anything being set up."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.acceptance.command_line import RIVUS, Rivus
from tests.acceptance.waiting import wait_until


def test_demo_shows_every_state_and_leaves_nothing_behind(rivus: Rivus, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    engine = subprocess.Popen(
        [str(RIVUS), "demo", "--serve", "--keep", str(folder)],
        cwd=rivus.root,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    demo = Rivus(folder / "post-office", folder / "state")
    try:
        wait_until(lambda: seen(demo) >= {"done", "failed", "waiting", "pending"}, lambda: seen(demo))
        wait_until(lambda: jobs(demo)["returns"] == "paused", lambda: jobs(demo))
        assert jobs(demo)["telegrams"] == "broken"
        stages = {stage for item in items(demo) for stage in [item["stage_state"]]}
        assert {"later", "waiting", "failed"} <= stages
    finally:
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(timeout=40) == 0
    assert list(rivus.root.iterdir()) == []
    rivus("demo", "--keep", str(folder), code=2).refused(2, "it is not empty")


def items(demo: Rivus) -> list[dict[str, Any]]:
    ran = demo("items", "list", "--json", code=None)
    return [json.loads(line) for line in ran.out.splitlines()] if ran.code == 0 else []


def seen(demo: Rivus) -> set[str]:
    return {item["state"] for item in items(demo)} if demo.root.is_dir() else set()


def jobs(demo: Rivus) -> dict[str, str]:
    return {job["job"]: job["state"] for job in demo("jobs", "list", "--json").objects}
