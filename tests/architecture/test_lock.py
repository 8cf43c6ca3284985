"""requirements.lock: everything that pyproject.toml asks for, hashed, and no word about where it comes from."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement

from tests.architecture.source import ROOT, none

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_PIN = re.compile(
    r"^([A-Za-z0-9._-]+)==([^ \\;]+)(?: ; [^\\]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n", re.MULTILINE
)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    """Return the version of each locked package."""
    return {canonical(name): version for name, version, _ in _PIN.findall(LOCK)}


def asked_for() -> list[Requirement]:
    """Return what the project needs to run, to be tested and to be installed editable."""
    project = PROJECT["project"]
    named = [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *PROJECT["dependency-groups"]["build"],
        *PROJECT["build-system"]["requires"],
    ]
    return [Requirement(text) for text in named]


def test_lock_names_no_host_and_no_index() -> None:
    none([word for word in ("://", "index-url", "find-links", "trusted-host", "@ file") if word in LOCK])


def test_every_line_is_a_pin_with_its_hashes() -> None:
    assert _PIN.sub("", LOCK).strip() == ""


def test_every_dependency_is_locked_at_a_version_that_fits() -> None:
    locked = pins()
    missing = [
        str(asked)
        for asked in asked_for()
        if not asked.specifier.contains(locked.get(canonical(asked.name), "0.dev0"), prereleases=True)
    ]
    none(missing)


def test_known_bad_releases_are_not_locked() -> None:
    assert pins()["litellm"] not in {"1.82.7", "1.82.8"}  # published with malicious code in March 2026
