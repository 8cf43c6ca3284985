"""One engine per state directory, and nobody else's eyes in it."""

from __future__ import annotations

import shlex
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.command_line import RIVUS
from tests.faults.plant import Plant

NewPlant = Callable[..., Plant]


@pytest.mark.parametrize("args", [("--serve",), ("run", "boxes"), ("run", "boxes", "--once", "--limit", "1")])
def test_second_engine_leaves_with_3_and_names_the_first(new_plant: NewPlant, args: tuple[str, ...]) -> None:
    plant = new_plant(handler="long", n=2)
    first = plant.start("run", "boxes")
    plant.wait_for(2, "began")
    out, err = plant.ended(plant.start(*args), 3)
    assert f"another engine (pid {first.pid}) runs" in err
    assert out == ""
    assert first.poll() is None
    plant.open_gate()
    plant.wait_for(6)
    first.send_signal(signal.SIGTERM)
    plant.ended(first, 0)
    assert plant.is_whole()
    assert set(plant.times("began").values()) == {1}


def test_of_four_engines_at_once_one_works(new_plant: NewPlant) -> None:
    plant = new_plant(n=60)
    engines = [plant.start("run", "boxes", "--once") for _ in range(4)]
    ends = []
    for engine in engines:
        _, err = engine.communicate(timeout=60)
        assert "Traceback" not in err
        ends.append((engine.returncode, err))
    codes = {code for code, _ in ends}
    assert codes <= {0, 3}, ends
    assert 0 in codes
    assert plant.is_whole()
    assert set(plant.times("began").values()) == {1}


def test_state_is_for_its_owner_only_whatever_the_umask(new_plant: NewPlant) -> None:
    plant = new_plant(handler="long", n=2)
    shell = f'umask 000; exec {shlex.quote(str(RIVUS))} "$@"'
    engine = plant.start("run", "boxes", command=("sh", "-c", shell, "rivus"))
    plant.wait_for(2, "began")
    assert modes(plant.state) == {"d": {0o700}, "f": {0o600}}
    plant.open_gate()
    plant.wait_for(6)
    engine.send_signal(signal.SIGTERM)
    plant.ended(engine, 0)
    assert modes(plant.state) == {"d": {0o700}, "f": {0o600}}


def modes(folder: Path) -> dict[str, set[int]]:
    """Permission bits of the folders and of the files in it."""
    found: dict[str, set[int]] = {"d": set(), "f": set()}
    for path in (folder, *folder.rglob("*")):
        info = path.lstat()
        found["d" if stat.S_ISDIR(info.st_mode) else "f"].add(stat.S_IMODE(info.st_mode))
    return found
