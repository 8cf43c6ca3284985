"""Small files with one duty, in packages that say what belongs to them."""

from __future__ import annotations

import ast

from tests.architecture.source import PACKAGES, ROOT, modules, none

HARD_LIMIT = 500
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}


def test_no_file_is_longer_than_the_hard_limit() -> None:
    none([module.path for module in modules() if module.text.count("\n") > HARD_LIMIT])


def test_every_package_says_what_belongs_there_and_what_does_not() -> None:
    silent = [
        module.path
        for module in modules()
        if module.is_package
        and not all(
            words in " ".join((ast.get_docstring(module.tree) or "").split())
            for words in ("elongs here", "not belong here")
        )
    ]
    none(silent)


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    none([str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()])


def test_every_module_has_a_docstring() -> None:
    none([module.path for module in modules() if not ast.get_docstring(module.tree)])


def test_no_name_hides_what_is_inside() -> None:
    none([module.path for module in modules() if module.name.rpartition(".")[2] in VAGUE])
