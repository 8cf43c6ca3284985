"""Models from outside: asked through a server on this machine, reviewed by several, accounted for, and done without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.acceptance.command_line import Rivus
from tests.architecture.source import ROOT
from tests.llm.openai_server import openai_server


def _review(verdict: str, *findings: tuple[str, str, str], strengths: tuple[str, ...] = ()) -> dict[str, Any]:
    told = [{"severity": grave, "where": where, "problem": problem} for grave, where, problem in findings]
    return {
        "summary": f"It can be read; {verdict}.",
        "verdict": verdict,
        "findings": told,
        "strengths": list(strengths),
    }


_EXAMPLE = "The table of floors shows no example of an import that is refused, so a newcomer learns it by failing."
REVIEWS = {
    "strict": _review(
        "needs work", ("medium", "Floors", _EXAMPLE), ("low", "The state file", "Backups are not named.")
    ),
    "mild": _review("accept", strengths=("The picture of threads and loops.",)),
    "exact": _review("needs work", ("medium", "Floors", "No example of an import that the table of floors refuses.")),
}


def _jobs(url: str) -> str:
    backends: dict[str, Any] = {"local": {"base_url": url, "key_env": "LOCAL_KEY", "price": "free"}}
    backends |= {name: {"use": "scripted", "params": {"answers": [told]}} for name, told in REVIEWS.items()}
    models: dict[str, Any] = {"fast": ["local/small"], "paid": ["openai/gpt-4o-mini"]}
    models |= {name: f"{name}/m" for name in REVIEWS}
    jobs = {"none": {"handler": "mine.read"}}
    return json.dumps({"backends": backends, "models": models, "jobs": jobs})


def test_models_from_the_command_line(tmp_path: Path) -> None:
    rivus = Rivus(tmp_path / "project", tmp_path / "state")
    rivus.write({"mine.py": "def read(ctx): return {}\n", ".env": "LOCAL_KEY=a-key-of-this-test\n"})
    (rivus.root / ".env").chmod(0o600)
    with openai_server() as server:
        rivus.write({"jobs.yaml": _jobs(server.url)})

        answer = rivus("ask", "--model", "fast", "are you there?")
        assert answer.out == "you said: are you there?\n"
        assert answer.err.startswith("local/small, $0.00, 11 tokens in, 7 out")
        assert server.keys == ["Bearer a-key-of-this-test"]
        again = rivus("ask", "--model", "fast", "--json", "are you there?").object
        assert again["cached"]
        assert len(server.asked) == 1

    rivus("ask", "--model", "paid", "q", code=4).refused(4, "OPENAI_API_KEY", ".env")
    rivus("ask", "--model", "none", "q", code=4).refused(4, "no model `none`")
    info = rivus("info")
    assert "LOCAL_KEY: set (.env)" in info.out
    assert "OPENAI_API_KEY is not set" in info.out
    assert "a-key-of-this-test" not in info.out

    rows = rivus("costs", "--json").objects
    models = {row["name"]: row for row in rows if row["by"] == "model"}
    assert (models["local/small"]["calls"], models["local/small"]["cached"]) == (1, 1)


def test_three_reviewers_write_one_report(tmp_path: Path) -> None:
    rivus = Rivus(tmp_path / "project", tmp_path / "state")
    rivus.write({"mine.py": "def read(ctx): return {}\n", "jobs.yaml": _jobs("http://127.0.0.1:9/v1")})
    report = tmp_path / "report.md"
    told = rivus("review", str(ROOT / "ARCHITECTURE.md"), "--reviewers", "strict,mild,exact", "--output", str(report))
    assert told.err.startswith("needs work: 3 of 3 reviewers answered")
    text = report.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Review of ARCHITECTURE.md",
        "## strict (strict/m)",
        "## mild (mild/m)",
        "## exact (exact/m)",
        "## Consensus",
        "### Raised by several",
        "### Raised by one",
        "### Dissent",
    ]
    assert "**needs work**, by median; 67% say so" in text
    assert text.count("example of an import") == 3  # with its reviewers, and once for both
    assert "(strict, exact)" in text
    assert "- mild says **accept**" in text


def test_without_a_model_everything_else_works(tmp_path: Path) -> None:
    rivus = Rivus(tmp_path / "project", tmp_path / "state")
    rivus.write({"TODO.md": "- [ ] Write\n"})
    rivus("ask", "q", code=4).refused(4, "no model is configured", "models:")
    rivus("review", "TODO.md", "--reviewers", "a,b", code=4).refused(4, "no model is configured")
    assert rivus("run", "todos", "--once", "--json").object["found"] == 1


CHANGED = """
from engine.contracts.item import Candidate
from texts import PROMPT

async def find(ctx):
    yield Candidate(key="a")

async def read(ctx):
    return {"asked": PROMPT}
"""


def test_model_is_asked_about_a_change_with_the_price_before(tmp_path: Path) -> None:
    rivus = Rivus(tmp_path / "project", tmp_path / "state")
    rivus.write({"mine.py": CHANGED, "texts.py": 'PROMPT = "three points"\n', ".env": "LOCAL_KEY=a-key\n"})
    (rivus.root / ".env").chmod(0o600)
    told: dict[str, Any] = {"verdict": "cosmetic", "reason": "both mean the same", "confidence": 0.95}
    with openai_server(lambda body, n: told) as server:
        price = {"input": "1 USD", "output": "2 USD"}
        local = {"base_url": server.url, "key_env": "LOCAL_KEY", "price": price}
        jobs = {"notes": {"discovery": {"use": "mine.find"}, "stages": [{"read": {"handler": "mine.read"}}]}}
        config = {"backends": {"local": local}, "models": {"fast": ["local/small"]}, "jobs": jobs}
        rivus.write({"jobs.yaml": json.dumps(config)})
        rivus("run", "notes", "--once")
        rivus.write({"texts.py": 'PROMPT = "3 points"\n'})

        before = rivus("stale", "ask", "notes", "read", code=2)
        assert "fast is asked about notes.read, for $0.0" in before.err
        assert "--yes" in before.err
        assert server.asked == []
        rivus("stale", "ask", "notes", "read", "--model", "deep", code=4).refused(4, "no model `deep`")
        asked = rivus("stale", "ask", "notes", "read", "--yes", "--json").object
        assert asked["message"].startswith("notes.read: cosmetic, sure to 95%, for $0.0")
        assert len(server.asked) == 1
        assert '-PROMPT = "three points"' in server.asked[0]["messages"][-1]["content"]

    assert rivus("stale", "--json").objects == []
    assert "both mean the same" in rivus("stale").out
    rivus("stale", "revoke", "2")
    (again,) = rivus("stale", "--json").objects
    assert (again["stage"], again["by"]) == ("read", "person")
