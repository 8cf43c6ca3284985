"""Commands in documents."""

from __future__ import annotations

import json

import pytest

from tests.plugins.checks.conftest import Project

FILES = {
    "Makefile": "-include .env\n.PHONY: test lint\ntest lint:\n\tpytest\nbuild: test\n\ttrue\nX := 1\n",
    "package.json": json.dumps({"scripts": {"dev": "x", "test:unit": "y"}}),
    "justfile": "set shell := ['bash']\nalias t := check\nversion := '1'\n@check arg='x':\n    true\n",
    "Taskfile.yml": "version: 3\nvars:\n  A: b\ntasks:\n  build:\n    cmds:\n      - true\n  db:up:\n    cmds: []\n",
    "tasks.py": "from invoke import task\n\n@task\ndef run_all(c):\n    pass\n",
    "boat/__init__.py": "",
    "boat/hull.py": "",
    "boat/sails/__main__.py": "",
    "scripts/run.sh": "",
    "scripts/run.py": "",
    "web/package.json": json.dumps({"scripts": {"preview": "z"}}),
}


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("make deploy", "says `make deploy`, but Makefile has no target deploy"),
        ("make -j4 X=1 deploy", "says `make deploy`, but Makefile has no target deploy"),
        ("npm run start", "says `npm run start`, but package.json has no script start"),
        ("sudo pnpm run start", "says `pnpm run start`, but package.json has no script start"),
        ("just deploy", "says `just deploy`, but justfile has no recipe deploy"),
        ("task deploy", "says `task deploy`, but Taskfile.yml has no task deploy"),
        ("inv deploy", "says `inv deploy`, but tasks.py has no task deploy"),
        ("python -m boat.keel", "runs `python -m boat.keel`, but there is no such module"),
        ("uv run python -m boat.keel --x", "runs `python -m boat.keel`, but there is no such module"),
        ("python scripts/gone.py", "runs scripts/gone.py, which does not exist"),
        ("./scripts/gone.sh", "runs ./scripts/gone.sh, which does not exist"),
        ("true && ./scripts/gone.sh -x", "runs ./scripts/gone.sh, which does not exist"),
    ],
)
async def test_unknown_command(project: Project, command: str, sentence: str) -> None:
    project.write({**FILES, "README.md": f"# Boat\n\n```bash\n{command}\n```\n"})
    assert await project.titles() == [f"README.md {sentence}"]
    project.write({"README.md": f"# Boat\n\nRun `{command}` now.\n"})
    assert await project.titles() == [f"README.md {sentence}"]


@pytest.mark.parametrize(
    "command",
    [
        "make test",
        "make build lint",
        "make",
        "make <target>",
        "make $TARGET",
        "make boat",
        "make -C web deploy",
        "make -f other.mk deploy",
        "make main.o",
        "npm run dev",
        "npm run test:unit -- --x",
        "npm run preview",
        "npm run",
        "npm install",
        "npm run -w web deploy",
        "bun run main.ts",
        "just check",
        "just t",
        "just --list",
        "task build",
        "task db:up",
        "inv run-all",
        "inv run_all",
        "python -m boat.hull",
        "python -m boat.sails",
        "python -m other.thing",
        "python -m json.tool",
        "python scripts/run.py",
        "python app.py",
        "./scripts/run.sh",
        "cd scripts && ./run.sh",
        "cd web && npm run preview",
        "git clone https://example.org/else.git && cd else && make deploy",
        "npx create-thing app && cd app && npm run start",
        "cd /tmp && ./scripts/gone.sh",
        "./your-script.sh",
        "curl -o scripts/new.sh https://example.org && ./scripts/new.sh",
        "# make deploy",
        "cat <<EOF\nmake deploy\nEOF",
        "echo 'make deploy'",
    ],
)
async def test_known_command_or_not_sure(project: Project, command: str) -> None:
    project.write({**FILES, "README.md": f"# Boat\n\n```bash\n{command}\n```\n"})
    assert await project.titles() == []


@pytest.mark.parametrize(
    "makefile",
    [
        "include $(ROOT)/rules.mk\na:\n",
        "include gone.mk\na:\n",
        "%:\n\ttrue\n",
        "$(NAMES):\n\ttrue\n",
        "$(foreach n,a b,$(eval $(call rule,$n)))\na:\n",
        "include rules.mk\n",
    ],
)
async def test_makefile_that_may_offer_more_gives_no_finding(project: Project, makefile: str) -> None:
    project.write({"Makefile": makefile, "rules.mk": "deploy:\n", "README.md": "`make deploy`\n"})
    assert await project.titles() == []


async def test_clone_of_this_repository_is_this_repository(project: Project) -> None:
    project.write(
        {**FILES, "README.md": "```sh\ngit clone https://example.org/x/boat.git\ncd boat\nmake deploy\n```\n"}
    )
    assert len(await project.titles()) == 1


async def test_blocks_after_a_walk_elsewhere_are_not_judged(project: Project) -> None:
    project.write({**FILES, "README.md": "```sh\nmkdir app && cd app\n```\n\n```sh\nmake deploy\n```\n"})
    assert await project.titles() == []


async def test_output_below_a_prompt_is_no_command(project: Project) -> None:
    project.write({**FILES, "README.md": "```console\n$ make test\nmake deploy\n$ make gone\n```\n"})
    assert await project.titles() == ["README.md says `make gone`, but Makefile has no target gone"]


@pytest.mark.parametrize(
    "path", ["CHANGELOG.md", "docs/adr/0001.md", "docs/plans/x.md", "ROADMAP.md", "docs/v1.2/a.md"]
)
async def test_documents_of_other_times_may_name_what_is_not_here(project: Project, path: str) -> None:
    project.write({**FILES, path: "`make deploy`\n\n`scripts/gone.py`\n"})
    assert await project.titles() == []


async def test_document_that_explains_the_tool_is_not_judged(project: Project) -> None:
    project.write({**FILES, "README.md": "```makefile\ndeploy:\n\ttrue\n```\n\n`make deploy`\n"})
    assert await project.titles() == []
