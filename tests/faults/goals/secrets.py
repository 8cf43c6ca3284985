"""S4: canaries of many shapes in the environment, errors, logs, reasons and output; looked for in all that is kept."""

from __future__ import annotations

import os
import random
import string
import subprocess

from tests.acceptance.command_line import RIVUS
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.plant import planted

_CODE = """\
from pathlib import Path

from engine.contracts.item import Candidate
from engine.contracts.outcome import Ask, Fail, Later, Skip

CANARIES = Path(__file__).with_name("canaries.txt").read_text().split()


async def find(ctx):
    for n in range(len(CANARIES)):
        yield Candidate(key=f"canary-{n}")
    ctx.problem(f"could not log in with {CANARIES[0]}")


def told(ctx):
    return CANARIES[int(ctx.item.key.rpartition("-")[2])]


async def work(ctx):
    text = told(ctx)
    ctx.log.error("the call failed: %s", text)
    ends = (Fail(why=text), Ask(question=text, choices=()), Skip(why=text), Later(after=3600, why=text))
    n = int(ctx.item.key.rpartition("-")[2]) % 6
    if n < 4:
        return ends[n]
    raise ValueError(f"HTTP 401 for https://user:{text}@example.invalid/ Authorization: Bearer {text}")


def plain(ctx):
    print("printed", told(ctx))
    raise RuntimeError(told(ctx))
"""


def _canaries(chance: random.Random, n: int) -> tuple[list[str], dict[str, str]]:
    """Secrets as their services shape them, and some without any shape that only the environment names."""

    def some(length: int, of: str = string.ascii_letters + string.digits) -> str:
        return "".join(chance.choice(of) for _ in range(length))

    shapes = (
        lambda: f"sk-proj-{some(40)}", lambda: f"ghp_{some(36)}", lambda: f"github_pat_{some(40)}",
        lambda: f"AKIA{some(16, string.ascii_uppercase + string.digits)}", lambda: f"AIza{some(35)}",
        lambda: f"xoxb-{some(24)}", lambda: f"glpat-{some(20)}", lambda: f"hf_{some(34)}", lambda: f"pypi-{some(60)}",
        lambda: f"npm_{some(36)}", lambda: f"eyJ{some(20)}.{some(30)}.{some(20)}",
    )  # fmt: skip
    shaped = [shapes[k % len(shapes)]() for k in range(n // 2)]
    named = {f"CANARY_{k}_{('KEY', 'TOKEN', 'SECRET', 'PASSWORD')[k % 4]}": some(24) for k in range(n - n // 2)}
    return [*shaped, *named.values()], named


def canaries(lane: Lane) -> Reading:
    values, named = _canaries(random.Random(4), lane.n(fast=24, deep=50))
    found: list[str] = []
    places = 0
    with planted(n=1) as plant:
        (plant.root / "canary_code.py").write_text(_CODE)
        (plant.root / "canaries.txt").write_text("\n".join(values))
        (plant.root / "jobs.yaml").write_text(
            "jobs:\n"
            "  async: {discovery: {use: canary_code.find}, stages: [{a: {handler: canary_code.work, attempts: 1}}]}\n"
            "  plain: {discovery: {use: canary_code.find}, stages: [{a: {handler: canary_code.plain, attempts: 1}}]}\n"
        )
        environment = {**os.environ, **named}
        line = [str(RIVUS), "--state", str(plant.state), "--trust"]
        kept: list[tuple[str, bytes]] = []
        for args in (
            ("run", "async", "--once"), ("run", "plain", "--once"), ("status", "--why"), ("events", "--json"),
            ("items", "list", "--json"), ("items", "show", "async", "canary-4"), ("info",), ("db", "backup", "copy.db"),
        ):  # fmt: skip
            done = subprocess.run([*line, *args], cwd=plant.root, env=environment, capture_output=True, check=False)
            kept.append((" ".join(args), done.stdout + done.stderr))
        files = [path for path in (*plant.state.rglob("*"), plant.root / "copy.db") if path.is_file()]
        kept += [(path.name, path.read_bytes()) for path in files]
        for place, raw in kept:
            places += 1
            found += [f"{place}: {value[:6]}… is in it" for value in values if value.encode() in raw]
    return readings(found, f"{len(values)} canaries, looked for in {places} outputs and files, {len(found)} found")


GOALS = [Goal("S4", "secrets", "0 canaries in state, logs, copies and output", canaries)]
