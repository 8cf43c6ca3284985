"""S10, S12: what the program is made of, and constructs that open a door."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.architecture.source import is_within, modules
from tests.architecture.test_gates import BUILT_SQL_MAY, built_sql, findings
from tests.architecture.test_lock import LOCK, asked_for, canonical, pins
from tests.faults.goal import Goal, Lane, Reading, readings

ROOT = Path(__file__).parents[3]
PTH_MAY = re.compile(r"^(_?_editable_|__editable__|_rivus|rivus|distutils-precedence|a1_coverage|_virtualenv)")
"""Files that run at every start of Python: only those of editable installs and of pip's own tools."""


def supply(lane: Lane) -> Reading:
    """Everything locked with hashes, nothing installed beside the lock, two builds that are the same."""
    found: list[str] = []
    locked = pins()
    found += [f"{one.name} is not locked" for one in asked_for() if canonical(one.name) not in locked]
    bare = [line for line in LOCK.splitlines() if "==" in line and not line.rstrip().endswith("\\")]
    found += [f"without a hash: {line}" for line in bare]
    installed = {canonical(one.metadata["Name"]): one for one in importlib.metadata.distributions()}
    strangers = sorted(set(installed) - set(locked) - {"rivus", "pip", "setuptools", "wheel"})
    found += [f"installed and not in the lock: {name}" for name in strangers]
    pth = [path.name for folder in sys.path if folder for path in Path(folder).glob("*.pth")]
    found += [f"{name} runs at every start" for name in pth if not PTH_MAY.match(name)]
    hashes = {_build() for _ in range(2)} if lane.deep else set()
    if len(hashes) > 1:
        found.append("two builds differ")
    built = f", wheel {next(iter(hashes))[:12]} twice" if len(hashes) == 1 else ""
    return readings(found, f"{len(locked)} packages locked with hashes, {len(strangers)} strangers{built}")


def _build() -> str:
    """SHA-256 of a wheel that is built from the present source."""
    with tempfile.TemporaryDirectory(prefix="rivus-wheel-") as folder:
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
            cwd=ROOT,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"},
            check=True,
            capture_output=True,
        )
        (wheel,) = Path(folder).glob("*.whl")
        return hashlib.sha256(wheel.read_bytes()).hexdigest()


def gates(_lane: Lane) -> Reading:
    """Constructs that no code of the project may hold."""
    found: list[str] = []
    for module in modules():
        found += findings(module)
        if is_within(module.name, "engine"):
            found += [
                f"{place}: built SQL" for place, words in built_sql(module) if (module.path, words) not in BUILT_SQL_MAY
            ]
        found += [
            f"{module.path}:{node.lineno}: an error is swallowed without a word"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ExceptHandler)
            and (node.type is None or ast.unparse(node.type) == "BaseException")
            and all(isinstance(one, ast.Pass) for one in node.body)
        ]
    return readings(found, f"{len(modules())} modules, {len(found)} doors")


def sbom() -> str:
    """What is installed, as CycloneDX 1.5 JSON."""
    parts = sorted(importlib.metadata.distributions(), key=lambda one: one.metadata["Name"].lower())
    return json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "components": [
                {
                    "type": "library",
                    "name": one.metadata["Name"],
                    "version": one.version,
                    "purl": f"pkg:pypi/{canonical(one.metadata['Name'])}@{one.version}",
                }
                for one in parts
            ],
        },
        indent=1,
    )


GOALS = [
    Goal("S10", "supply chain", "all locked with hashes, 0 strangers, 0 hooks at start, same wheel twice", supply),
    Goal("S12", "static gates", "0 doors", gates),
]
