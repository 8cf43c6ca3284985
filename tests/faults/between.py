"""SIGKILL between any two system calls that change a file: strace counts them, and kills at the n-th."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from engine.store import upkeep
from tests.acceptance.command_line import RIVUS
from tests.faults.plant import Plant, planted

_CALLS = "pwrite64,write,fsync,fdatasync,rename,unlink,ftruncate,mkdir,chmod"
_SCENES = {
    "first start": ("run", "boxes", "--once"),
    "start": ("run", "boxes", "--once"),
    "prune": ("db", "prune"),
    "backup": ("db", "backup", "../copy.db"),
    "restore": ("db", "restore", "../good.db", "--yes"),
}


def between_calls(points: int, chance: random.Random) -> tuple[int, list[str]]:
    """Kill each scene at some of its calls; the next start must find everything whole. Returns points and findings."""
    if not points or shutil.which("strace") is None:
        return 0, []
    found: list[str] = []
    with planted(n=20) as plant:
        plant.run_to_the_end()
        whole, good = plant.root.parent / "whole", plant.root.parent / "good.db"
        shutil.copytree(plant.state, whole)
        upkeep.backup(plant.state / "rivus.db", good)
        for scene, words in _SCENES.items():
            _fresh(plant, whole, scene)
            calls = _counted(plant, words)
            for name, n in chance.choices(calls, k=max(1, points // len(_SCENES))):
                _fresh(plant, whole, scene)
                _traced(plant, words, "-e", f"inject={name}:signal=KILL:when={n}")
                copy = plant.root.parent / "copy.db"
                found += (
                    [f"{scene}, {name} {n}: the copy: {one}" for one in upkeep.check(copy)] if copy.exists() else []
                )
                try:
                    plant.run_to_the_end()
                except AssertionError as error:
                    found.append(f"{scene}, {name} {n}: {error}"[:300])
                else:
                    found += [] if plant.is_whole() else [f"{scene}, {name} {n}: not whole"]
    return points // len(_SCENES) * len(_SCENES), found


def _fresh(plant: Plant, whole: Path, scene: str) -> None:
    shutil.rmtree(plant.state, ignore_errors=True)
    (plant.root.parent / "copy.db").unlink(missing_ok=True)
    if scene != "first start":
        shutil.copytree(whole, plant.state)


def _traced(plant: Plant, words: tuple[str, ...], *more: str) -> str:
    log = plant.root.parent / "calls"
    line = ["strace", "-f", "-o", str(log), "-e", f"trace={_CALLS}", *more, str(RIVUS)]
    subprocess.run(
        [*line, "--state", str(plant.state), "--trust", *words], cwd=plant.root, capture_output=True, check=False
    )
    return log.read_text(errors="replace")


def _counted(plant: Plant, words: tuple[str, ...]) -> list[tuple[str, int]]:
    """Each call of an undisturbed run: its name, and the how many of that name it is."""
    names = re.findall(r"^\d+ +(\w+)\(", _traced(plant, words), re.MULTILINE)
    return [(name, n) for name, times in Counter(names).items() for n in range(1, times + 1)]
