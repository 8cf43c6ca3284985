"""Paths in backticks, and ports."""

from __future__ import annotations

import pytest

from tests.plugins.checks.conftest import Project


async def test_path_that_was_deleted(project: Project) -> None:
    project.write({"README.md": "The hull is in `boat/hull.py`.\n", "boat/hull.py": "", "boat/keel.py": ""})
    project.commit()
    assert await project.titles() == []
    project.git("mv", "boat/hull.py", "boat/body.py")
    project.commit()
    (one,), _ = await project.check()
    assert one.title == "README.md names boat/hull.py, which does not exist"
    assert one.confidence == "high"
    assert dict(one.data["facts"])["Removed in"]


async def test_path_that_never_was_is_less_sure(project: Project) -> None:
    project.write({"CLAUDE.md": "The hull is in `boat/hull.py:12`.\n", "boat/keel.py": ""})
    (one,), _ = await project.check()
    assert (one.title, one.confidence) == ("CLAUDE.md names boat/hull.py, which does not exist", "medium")


@pytest.mark.parametrize(
    "text",
    [
        "`boat/keel.py`",
        "`boat/keel.py::test_it`",
        "`./boat/keel.py:3`",
        "`boat/*.py`",
        "`boat/<name>.py`",
        "`boat/{name}.py`",
        "`boat/...`",
        "`boat/$X.py`",
        "`/etc/boat/hull.py`",
        "`~/boat/hull.py`",
        "`https://example.org/boat/hull.py`",
        "`boat.hull`",
        "`boat/hull`",
        "`other/hull.py`",
        "`hull.py`",
        "`boat/my_hull.py`",
        "`boat/keel.ts`",
        "Create `boat/hull.py`.",
        "`boat/hull.py` was removed.",
        "e.g. `boat/hull.py`",
        "`boat/build/hull.py`",
        "```\nboat/hull.py\n```",
        "`out/hull.py`",
    ],
)
async def test_path_that_is_there_or_not_sure(project: Project, text: str) -> None:
    project.write({".gitignore": "out/\n", "README.md": text + "\n", "boat/keel.py": "", "out/x": ""})
    assert await project.titles() == []


async def test_default_of_a_variable_that_disagrees(project: Project) -> None:
    project.write({"README.md": "Set `API_PORT` (default: 8000).\n", ".env.example": "API_PORT=8080\n"})
    assert await project.titles() == ["README.md gives port 8000 for API_PORT, but .env.example says 8080"]


async def test_default_column_of_a_table(project: Project) -> None:
    table = "| Name | Default | Max |\n| --- | --- | --- |\n| `API_PORT` | `8000` | 65535 |\n"
    project.write({"README.md": table, "src/config.py": 'PORT = int(os.getenv("API_PORT", "8080"))\n'})
    assert await project.titles() == ["README.md gives port 8000 for API_PORT, but src/config.py says 8080"]


async def test_service_of_a_compose_file(project: Project) -> None:
    compose = 'services:\n  grafana:\n    image: x\n    ports:\n      - "3001:3000"\n  api:\n    image: y\n'
    project.write({"README.md": "- **grafana**: http://localhost:3000\n", "docker-compose.yml": compose})
    assert await project.titles() == ["README.md gives port 3000 for grafana, but docker-compose.yml says 3001"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("config.yaml", "log: x\napi:\n  host: y\n  port: 8080\n"),
        ("settings.toml", '[services.api]\nhost = "x"\nport = 8080\n'),
        ("config/app.config.yml", "api_port: 8080\n"),
    ],
)
@pytest.mark.parametrize("said", ["The API runs on http://localhost:8000/docs.", "The api listens on port 8000."])
async def test_key_of_a_configuration_file(project: Project, path: str, text: str, said: str) -> None:
    project.write({"README.md": said + "\n", path: text})
    assert await project.titles() == [f"README.md gives port 8000 for api, but {path} says 8080"]


async def test_port_that_the_code_mentions_may_be_right(project: Project) -> None:
    project.write(
        {
            "README.md": "The api is on port 8000.\n",
            "config.yaml": "api:\n  port: 8080\n",
            "run.sh": "boat --proxy 8000\n",
        }
    )
    assert await project.titles() == []


@pytest.mark.parametrize(
    ("text", "configuration"),
    [
        ("Set `API_PORT` (default: 8080).", {".env.example": "API_PORT=8080\n"}),
        ("Configure api metrics (port 8000).", {"config.yaml": "api:\n  port: 8080\n"}),
        ("Run `API_PORT=8000 boat`.", {".env.example": "API_PORT=8080\n"}),
        ("```sh\nAPI_PORT=8000 # default 8000\n```", {".env.example": "API_PORT=8080\n"}),
        (
            "`API_PORT` (default: 8000)",
            {".env.example": "API_PORT=8080\n", "src/config.py": 'getenv("API_PORT", 8000)'},
        ),
        ("`API_PORT` (default: 8000)", {"a/.env.example": "API_PORT=8080\n", "b/.env.example": "API_PORT=8090\n"}),
        ("`API_PORT` and `WEB_PORT` default to 8000", {".env.example": "API_PORT=8080\n"}),
        (
            "- **grafana**: http://localhost:3000",
            {"compose.yml": 'services:\n  grafana:\n    ports:\n      - "$P:3000"\n'},
        ),
        (
            "the grafana at http://localhost:3000",
            {"compose.yml": 'services:\n  grafana:\n    ports: \n      - "1:1"\n'},
        ),
        (
            "## Kubernetes\n\n- **grafana**: http://localhost:30",
            {"compose.yml": "services:\n  grafana:\n    ports:\n    - 80:80\n"},
        ),
    ],
)
async def test_ports_that_agree_or_are_not_sure(project: Project, text: str, configuration: dict[str, str]) -> None:
    project.write({"README.md": text + "\n", **configuration})
    assert await project.titles() == []


async def test_variable_of_another_service_is_not_compared(project: Project) -> None:
    project.write(
        {"services/a/README.md": "`SERVICE_PORT` (default: 8001)\n", "services/b/.env.example": "SERVICE_PORT=8002\n"}
    )
    assert await project.titles() == []
