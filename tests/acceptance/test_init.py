"""`rivus init` in folders of every kind leads to a configuration that is right and does something at once."""

from __future__ import annotations

import pytest

from tests.acceptance.command_line import Rivus

FOLDERS = {
    "empty": {},
    "no TODO.md": {"README.md": "# Here\n\n[gone](nowhere.md)\n"},
    "monorepo": {f"{part}/TODO.md": f"- [ ] Mend {part}\n" for part in ("api", "web/app", "web/site")},
}


@pytest.mark.parametrize("git", [True, False], ids=["in git", "without git"])
@pytest.mark.parametrize("files", FOLDERS.values(), ids=FOLDERS)
def test_first_configuration_works_at_once(rivus: Rivus, files: dict[str, str], git: bool) -> None:
    rivus.write(files)
    if git:
        rivus.git("init", "--quiet")
    rivus("init")
    rivus("config", "check")
    found = rivus("run", "todos", "--once", "--json").object["found"]
    assert found == sum(name.endswith("TODO.md") for name in files)
    rivus("run", "doc-health", "--once", code=None)
    assert rivus("todo", "list", "--json").objects or not files


def test_an_existing_file_is_never_touched(rivus: Rivus) -> None:
    rivus.write({"jobs.yaml": "jobs: {}\n"})
    rivus("init", code=2).refused(2, "was not touched")
    assert (rivus.root / "jobs.yaml").read_text() == "jobs: {}\n"


def test_a_folder_that_cannot_be_written_is_named(rivus: Rivus) -> None:
    (rivus.root / "jobs.yaml").mkdir()
    rivus("init", code=2).refused(2, "jobs.yaml")
