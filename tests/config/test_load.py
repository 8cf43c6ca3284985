from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest

from engine.config.load import load_project
from engine.config.model import ProjectKeys
from engine.config.models import LANE_PATTERN
from engine.config.wording import sentence
from engine.contracts.errors import ConfigError
from engine.contracts.steering import Condition, EligibilitySpec, Hours, RecurSpec, TriageRule
from tests.config.folders import Folder


def test_smallest_job_has_one_stage_and_the_defaults(folder: Folder) -> None:
    project = folder.load("jobs: {a: {handler: PLUGIN.work}}")
    assert (project.root, project.source) == (folder.path, folder.path / "jobs.yaml")
    assert project.settings.repositories == (".",)
    assert project.settings.grace_s == 20
    job = project.job("a")
    assert job is not None
    assert (job.title, job.enabled, job.internal, job.gone_after, job.broken) == ("a", True, False, 3, None)
    (stage,) = job.stages
    assert (stage.name, stage.is_async, stage.attempts, stage.timeout_s) == ("process", True, 3, 600)
    assert (stage.concurrency, stage.backoff_s, stage.backoff_max_s) == (4, 10, 3600)


def test_every_key_arrives(folder: Folder) -> None:
    project = folder.load("""
        version: 1
        settings: {repositories: [x, y], durability: full, workers: 3, grace: 1m}
        jobs:
          a:
            title: A title
            emoji: 📄
            internal: true
            enabled: false
            gone_after: 5
            detail_columns: [words]
            discovery: {use: PLUGIN.picky, every: 10m, timeout: 5m, include: ["*.md"]}
            stages:
              - one: {handler: PLUGIN.work, gate: accept, enabled: false, concurrency: 2, timeout: 1h, attempts: 5}
              - two: {handler: PLUGIN.plain, backoff: 1s, backoff_max: 1m, params: {depth: 2}, outputs: {title: str}}
        """)
    settings = project.settings
    assert (settings.repositories, settings.durability, settings.workers, settings.grace_s) == (
        ("x", "y"),
        "full",
        3,
        60,
    )
    job = project.job("a")
    assert job is not None
    assert (job.title, job.emoji, job.internal, job.enabled) == ("A title", "📄", True, False)
    assert (job.gone_after, job.detail_columns) == (5, ("words",))
    assert job.discovery is not None
    assert (job.discovery.every_s, job.discovery.timeout_s) == (600, 300)
    assert job.discovery.params == {"include": ["*.md"]}
    one, two = job.stages
    assert (one.gate, one.enabled, one.concurrency, one.timeout_s, one.attempts) == ("accept", False, 2, 3600, 5)
    assert (two.is_async, two.backoff_s, two.backoff_max_s) == (False, 1, 60)
    assert (two.params, two.outputs, two.after) == ({"depth": 2}, {"title": "str"}, ("one",))


def test_one_handler_serves_bare_stages_in_the_order_written(folder: Folder) -> None:
    job = folder.load("jobs: {a: {handler: PLUGIN, stages: [fetch, read, index: {}]}}").job("a")
    assert job is not None
    assert [(stage.name, stage.handler, stage.after) for stage in job.stages] == [
        ("fetch", folder.plugin, ()),
        ("read", folder.plugin, ("fetch",)),
        ("index", folder.plugin, ("read",)),
    ]


def test_stage_may_say_that_it_is_deterministic_and_a_project_who_judges_changes(folder: Folder) -> None:
    text = """
        settings: {stale_model: deep}
        models: {deep: [scripted/m]}
        jobs: {a: {handler: PLUGIN, stages: [fetch, read: {deterministic: true}]}}
        """
    project = folder.load(text)
    assert [stage.deterministic for stage in project.jobs[0].stages] == [False, True]
    assert project.settings.stale_model == "deep"
    assert "there is no model `dep` under `models`; did you mean `deep`?" in folder.problem(
        text.replace("stale_model: deep", "stale_model: dep")
    )


def test_after_overrides_the_order_written(folder: Folder) -> None:
    job = folder.load("""
        jobs:
          a:
            handler: PLUGIN
            stages:
              - last: {after: [left, right]}
              - first: {after: []}
              - left
              - right: {after: first}
        """).job("a")
    assert job is not None
    assert [(stage.name, stage.after) for stage in job.stages] == [
        ("first", ()),
        ("left", ("first",)),
        ("right", ("first",)),
        ("last", ("left", "right")),
    ]


def test_check_has_a_target_and_no_stages(folder: Folder) -> None:
    project = folder.load("""
        jobs:
          todos: {handler: PLUGIN.work}
          health: {check: PLUGIN.picky, every: 1d, timeout: 1h, findings_to: todos, params: {include: [x]}}
        """)
    job = project.job("health")
    assert job is not None
    assert (job.is_check, job.findings_to, job.stages, job.gone_after) == (True, "todos", (), 1)
    assert job.discovery is not None
    assert (job.discovery.use, job.discovery.every_s, job.discovery.timeout_s) == (
        f"{folder.plugin}.picky",
        86_400,
        3_600,
    )
    assert job.discovery.params == {"include": ["x"]}


def test_builtin_jobs_load_without_a_file(tmp_path: Path) -> None:
    project = load_project(None, tmp_path)
    assert project.source is None
    assert {job.name: (job.internal, job.is_check) for job in project.jobs} == {
        "todos": (True, False),
        "doc-health": (True, True),
        "docs": (False, False),
    }
    assert [job.broken for job in project.jobs] == [None, None, None]


def test_own_jobs_of_this_repository_load() -> None:
    root = Path(__file__).parents[2]
    project = load_project(root / "jobs.yaml", root)
    assert [job.broken for job in project.jobs] == [None] * len(project.jobs)


def test_all_problems_are_reported_at_once_with_line_and_key(folder: Folder) -> None:
    found = folder.problems("""
        verson: 1
        settings: {workers: no, grace: 30}
        jobs:
          a:
            handler: PLUGIN
            discovery: {use: PLUGIN.scan, every: 10}
            stages:
              - one: {aftr: two, timeout: 5x, attempts: "3"}
              - two: {after: onee}
          b: {check: PLUGIN.scan, findings_to: aa}
          b: {}
        """)
    assert [line.split(": ")[:2] for line in found] == [
        ["1", "verson"],
        ["2", "settings.workers"],
        ["2", "settings.grace"],
        ["6", "jobs.a.discovery.every"],
        ["8", "jobs.a.stages.one.timeout"],
        ["8", "jobs.a.stages.one.attempts"],
        ["8", "jobs.a.stages.one.aftr"],
        ["9", "jobs.a.stages.two.after"],
        ["11", "jobs.b"],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "None: : is empty"),
        ("- a\n", "1: : must start with keys, such as `jobs:`"),
        ("version: 1\n", "1: jobs: is missing"),
        ("jobs: {}\n", "1: jobs: names no job"),
        ("jobs: [a]\n", "1: jobs: needs keys with values below it; this is a list"),
        ("jobs: {a: }\n", "1: jobs.a: needs keys with values below it; nothing stands here"),
        (
            "version: 2\njobs: {a: {handler: PLUGIN}}\n",
            "1: version: this Rivus reads version 1 of this format, not `2`",
        ),
        ("jobs: {a: {title: x}}\n", "1: jobs.a: needs `stages`, or a `handler` for a single stage, or a `check`"),
        ("jobs: {a: {stages: []}}\n", "1: jobs.a.stages: needs at least one entry"),
        (
            "jobs: {A b: {handler: PLUGIN}}\n",
            "1: jobs.A b: a name starts with a-z or 0-9 and goes on with a-z, 0-9, `-` and `_`, not `A b`",
        ),
        (
            "jobs: {a: {handler: a-b}}\n",
            "1: jobs.a.handler: needs a dotted name, such as `plugins.todos.scan`, not `a-b`",
        ),
        ("jobs: {a: {handlr: x}}\n", "1: jobs.a.handlr: is not a key here; did you mean `handler`?"),
        (
            "jobs:\n  a: {handler: PLUGIN}\nsettings: {durability: ful}\n",
            "3: settings.durability: must be `normal` or `full`, not `ful`; did you mean `full`?",
        ),
        (
            "jobs: {a: {handler: PLUGIN, discovery: {every: 10m}}}\n",
            "1: jobs.a.discovery.use: is missing",
        ),
        (
            "jobs: {a: {handler: PLUGIN, discovery: {use: PLUGIN.scan, every: 10ms}}}\n",
            "1: jobs.a.discovery.every: must be at least 1 s",
        ),
        (
            "jobs: {a: {handler: PLUGIN, stages: [x: {attempts: 0}]}}\n",
            "1: jobs.a.stages.x.attempts: must be at least 1",
        ),
        ("jobs: {a: {handler: PLUGIN, stages: [x, x]}}\n", "1: jobs.a.stages.x: there are two stages named `x`"),
        (
            "jobs: {a: {handler: PLUGIN, stages: [{x: {}, y: {}}]}}\n",
            "1: jobs.a.stages[0]: a stage is a name, or one name with its keys: `- read: {handler: …}`"
            "; these are keys with values",
        ),
        (
            "jobs:\n  a:\n    stages:\n      - x\n",
            "4: jobs.a.stages.x: has no handler: name one here, or one for all stages at the job",
        ),
        (
            "jobs: {a: {handler: PLUGIN, stages: [read, index: {after: raed}]}}\n",
            "1: jobs.a.stages.index.after: there is no stage `raed`; did you mean `read`?",
        ),
        (
            "jobs: {a: {handler: PLUGIN, stages: [x: {after: y}, y: {after: x}]}}\n",
            "1: jobs.a.stages.x.after: stages wait for each other in a circle: x → y → x",
        ),
        ("jobs: {a: {handler: PLUGIN, stages: [x: {after: x}]}}\n", "1: jobs.a.stages.x.after: comes after itself"),
        (
            "jobs: {a: {handler: PLUGIN, every: 1h}}\n",
            "1: jobs.a.every: belongs to a check; in a job with a discovery, write it below `discovery`",
        ),
        (
            "jobs: {a: {handler: PLUGIN, timeout: 1h}}\n",
            "1: jobs.a.timeout: belongs to a check; in a job with a discovery, write it below `discovery` "
            "(that of attempts: below a stage)",
        ),
        (
            "jobs: {a: {handler: PLUGIN, findings_to: a}}\n",
            "1: jobs.a.findings_to: belongs to a check; this job has no `check`",
        ),
        (
            "jobs: {a: {check: PLUGIN.scan}}\n",
            "1: jobs.a: is a check: say with `findings_to` which job receives what it finds",
        ),
        (
            "jobs: {todos: {handler: PLUGIN}, a: {check: PLUGIN.scan, findings_to: todo}}\n",
            "1: jobs.a.findings_to: there is no job `todo`; did you mean `todos`?",
        ),
        (
            "jobs: {a: {check: PLUGIN.scan, findings_to: a}}\n",
            "1: jobs.a.findings_to: `a` is a check itself; findings go to a job with stages",
        ),
        (
            "jobs: {b: {handler: PLUGIN}, a: {check: PLUGIN.scan, findings_to: b, stages: [x]}}\n",
            "1: jobs.a.stages: a check has no stages: its findings go through those of the job `findings_to`",
        ),
        (
            "jobs: {b: {handler: PLUGIN}, a: {check: PLUGIN.scan, findings_to: b, discovery: {use: PLUGIN.scan}}}\n",
            "1: jobs.a.check: a job has a `discovery` or a `check`, not both",
        ),
        (
            "models: {fast: gpt-5}\njobs: {a: {handler: PLUGIN}}\n",
            "1: models.fast.models[0]: needs a backend and its model, such as `openai/gpt-5-mini`, not `gpt-5`",
        ),
        (
            "backends: {box: {base_url: localhost:11434}}\njobs: {a: {handler: PLUGIN}}\n",
            "1: backends.box.base_url: needs an address without `?` and `#`, such as `http://localhost:11434/v1`, "
            "not `localhost:11434`",
        ),
        (
            "backends: {box: {key_env: sk-canary}}\njobs: {a: {handler: PLUGIN}}\n",
            "1: backends.box.key_env: needs the name of a variable, such as `OPENAI_API_KEY`, that holds the key, "
            "and never the key itself",
        ),
        (
            "jobs: {a: {handler: PLUGIN, concurrency: 2}}\n",
            "1: jobs.a.concurrency: is not a key here; it stands below `stages`",
        ),
        ("handler: PLUGIN\njobs: {a: {handler: PLUGIN}}\n", "1: handler: is not a key here; it stands below `jobs`"),
        (
            "backends: {azure: {params: {api_vers: 1}}}\njobs: {a: {handler: PLUGIN}}\n",
            "1: backends.azure.params.api_vers: litellm is told nothing called `api_vers`; did you mean `api_version`?",
        ),
    ],
)
def test_problem_says_where_and_what(folder: Folder, text: str, message: str) -> None:
    assert folder.problem(text) == message


def test_every_form_that_a_text_must_have_has_words() -> None:
    text = json.dumps(ProjectKeys.model_json_schema(mode="serialization"))
    forms = {json.loads(f'"{one}"') for one in re.findall(r'"pattern": "((?:[^"\\\\]|\\\\.)*)"', text)}
    assert LANE_PATTERN in forms
    for form in forms:
        told = sentence({"type": "string_pattern_mismatch", "loc": ("a",), "input": "?", "ctx": {"pattern": form}})
        assert "needs" in told or "name" in told


def test_hostile_key_is_shown_harmless(folder: Folder) -> None:
    found = folder.problem('"\\e[2J\\u202e": 1\njobs: {a: {handler: PLUGIN}}\n')
    assert "\x1b" not in found
    assert "\u202e" not in found


def test_thousands_of_problems_are_cut(folder: Folder) -> None:
    text = "jobs:\n" + "".join(f"  a{index}: {{x: 1}}\n" for index in range(3000))
    found = folder.problems(text)
    assert len(found) == 101
    assert "more problems" in found[-1]


def test_file_that_is_missing_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"jobs\.yaml: cannot be read: no such file"):
        load_project(tmp_path / "jobs.yaml", tmp_path)


def test_file_cut_anywhere_is_a_project_or_a_config_error(folder: Folder) -> None:
    text = (Path(__file__).parents[2] / "plugins" / "builtin.yaml").read_bytes()
    for length in range(0, len(text), 7):
        (folder.path / "jobs.yaml").write_bytes(text[:length])
        with contextlib.suppress(ConfigError):
            load_project(folder.path / "jobs.yaml", folder.path)


def test_path_is_shown_as_a_person_would_type_it(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path)
    folder.write("jobs.yaml", "jobs: 1\n")
    with pytest.raises(ConfigError) as caught:
        load_project(folder.path / "jobs.yaml", folder.path)
    assert str(caught.value) == "jobs.yaml:1: jobs: needs keys with values below it, not `1`"


def test_what_steers_a_job_arrives(folder: Folder) -> None:
    job = folder.load("""
        jobs:
          a:
            handler: PLUGIN.work
            priority:
              - P0: {source: wire, age: {below: 2h}}
              - P1: {market_cap: {at_least: 10e9}, risk: [low, null]}
              - P3
            eligibility: {user_idle: 15m, hours: [09:00-17:00, 22:00-24:00], data: {risk: low}, auto_start: true}
            recur: {each: week, by: rhythm}
        """).job("a")
    assert job is not None
    assert [(rule.name, rule.priority) for rule in job.priority] == [("1", 0), ("2", 1), ("3", 3)]
    assert job.priority[0].when == (Condition(field="source", one_of=("wire",)), Condition(field="age", below=7_200))
    assert job.priority[1].when[1] == Condition(field="risk", one_of=("low", None))
    assert job.eligibility == EligibilitySpec(
        user_idle_s=900,
        hours=(Hours(start=540, end=1020), Hours(start=1320, end=0)),
        fields=(Condition(field="risk", one_of=("low",)), Condition(field="auto_start", one_of=(True,))),
    )
    assert job.recur == RecurSpec(each="week", by="rhythm")


def test_rules_of_triage_arrive_and_their_mistakes_are_named(folder: Folder) -> None:
    job = folder.load("""
        jobs:
          a:
            stages: [{look: {handler: PLUGIN.work, gate: accept}}]
            triage:
              - {do: drop, when: {path: {within: vendor}, confidence: low}, auto: true}
              - {do: snooze, for: 30d, when: {quiet: {above: 365d}}}
              - {do: P1}
        """).job("a")
    assert job is not None
    within = Condition(field="path", within=("vendor",))
    assert job.triage == (
        TriageRule(name="1", do="drop", when=(within, Condition(field="confidence", one_of=("low",))), auto=True),
        TriageRule(name="2", do="snooze", when=(Condition(field="quiet", above=365 * 86_400),), for_s=30 * 86_400),
        TriageRule(name="3", do="P1"),
    )
    found = folder.problems("""
        jobs:
          a:
            stages: [{look: {handler: PLUGIN.work, gate: accept}}]
            triage:
              - {do: snooze}
              - {do: drop, for: 3d}
              - {do: P1, auto: true}
          b: {handler: PLUGIN.work, triage: [{do: accept}]}
          c: {stages: [{look: {handler: PLUGIN.work, gate: accept}}], triage: [{do: delete}]}
        """)
    for line, what in zip(
        found,
        (
            "5: jobs.a.triage[0]: needs `for`: how long it is put off",
            "6: jobs.a.triage[1]: `for` goes with `do: snooze`",
            "7: jobs.a.triage.auto: a priority before the scope is a person's word: propose it",
            "8: jobs.b.triage: has nothing to decide: no stage here says `gate: accept`",
            "9: jobs.c.triage.do: must be `accept` or `drop`",
        ),
        strict=True,
    ):
        assert what in line


def test_mistakes_in_what_steers_a_job_are_named_with_what_is_meant(folder: Folder) -> None:
    found = folder.problems("""
        jobs:
          a:
            handler: PLUGIN.work
            priority:
              - P9: {source: wire}
              - P1: {market_cap: {at_last: 10e9}}
              - {P1: {}, P2: {}}
            eligibility: {user_idl: 15m, hours: [09:00-17:00, 9-5], data: {risk: {below: soon}}}
            recur: monthly
          b: {handler: PLUGIN.work, recur: {each: day, after: 2h}, prioritty: []}
          c: {handler: PLUGIN.work, recur: {}}
        """)
    for line, what in zip(
        found,
        (
            "5: jobs.a.priority.P9: must be `P0` or `P1` or `P2` or `P3`, not `P9`",
            "6: jobs.a.priority.P1.market_cap.at_last: is not a key here; did you mean `at_least`?",
            "7: jobs.a.priority[2]: a rule is a priority with what it asks for",
            "8: jobs.a.eligibility.hours[1]: needs a part of the day",
            "8: jobs.a.eligibility.data.risk.below: needs a duration",
            "8: jobs.a.eligibility.user_idl: is not a key here; did you mean `user_idle`?",
            "9: jobs.a.recur: needs `daily`, `weekly`, a time such as `12h`",
            "10: jobs.b.recur: has several times",
            "10: jobs.b.prioritty: is not a key here; did you mean `priority`?",
            "11: jobs.c.recur: names no time",
        ),
        strict=True,
    ):
        assert line.startswith(what)


def test_where_a_handler_runs_and_what_it_may_have_are_read(folder: Folder) -> None:
    project = folder.load("""
        settings:
          worker_memory: 512 MB
          http: {allow: [localhost, "Wiki.intranet:8080", "[::1]:80"], proxy: "http://proxy:3128"}
        jobs:
          a:
            stages:
              - one: {handler: PLUGIN.plain, runs: thread}
              - two: {handler: PLUGIN.work, runs: process}
              - three: {handler: PLUGIN.plain}
        """)
    settings = project.settings
    assert (settings.worker_memory, settings.http_proxy) == (512_000_000, "http://proxy:3128")
    assert settings.http_allow == ("localhost", "wiki.intranet:8080", "[::1]:80")
    assert [stage.place for stage in project.jobs[0].stages] == ["thread", "process", "process"]


def test_mistakes_in_where_a_handler_runs_are_named(folder: Folder) -> None:
    found = folder.problems("""
        settings:
          worker_memory: 512
          http: {allow: ["http://x"], proxy: "user@proxy"}
        jobs:
          a: {stages: [three: {handler: PLUGIN.plain, runs: proces}]}
        """)
    told = "\n".join(found)
    for part in (
        "settings.worker_memory: needs a size, such as `2 GB`",
        "settings.http.allow[0]: needs a host, such as `localhost:8080`",
        "settings.http.proxy: needs a proxy, such as `http://proxy:3128`",
        "must be `loop` or `process` or `thread`, not `proces`; did you mean `process`?",
    ):
        assert part in told
    assert "a plain function would stop the engine" in folder.problem("""
        jobs: {a: {stages: [one: {handler: PLUGIN.plain, runs: loop}]}}
        """)
    assert "needs no thread" in folder.problem("""
        jobs: {a: {stages: [one: {handler: PLUGIN.work, runs: thread}]}}
        """)
