"""How failures are treated, as jobs.yaml says it."""

from __future__ import annotations

import pytest

from engine.contracts.doctor import DEFAULT_ACTIONS, DEFAULT_THRESHOLDS
from engine.contracts.errors import ConfigError
from tests.config.folders import Folder


def test_defaults_are_the_doctors(folder: Folder) -> None:
    project = folder.load("jobs: {docs: {handler: PLUGIN.work}}")
    spec = project.jobs[0].doctor
    assert spec.actions == DEFAULT_ACTIONS
    assert spec.thresholds == DEFAULT_THRESHOLDS
    assert spec.rungs == ("rules", "cache", "model")
    assert spec.error_rate is None
    assert project.settings.doctor.hours == (540, 1_020)


def test_everything_can_be_said_otherwise(folder: Folder) -> None:
    project = folder.load(
        """
        settings:
          doctor:
            {tiers: {pause: high}, grace: 5m, hours: "08:00-20:00", bell: true, notify: "json://x", max_cost: 0.01 USD}
        jobs:
          docs:
            handler: PLUGIN.work
            guards: {error_rate: {over: 30%, window: 20m}}
            doctor:
              classifiers: [rules]
              thresholds: {systemic: 5}
              on: {unknown: [later, notify], code_bug: [fail, pause, todo]}
              fixes: {systemic: make login}
              probe: 1m
              rules: [{id: no-idea, verdict: item, text: Not An Idea Page, status: 404}]
              examples: [{text: the tuner is off, verdict: systemic}]
        """
    )
    spec, settings = project.jobs[0].doctor, project.settings.doctor
    assert (spec.error_rate, spec.error_window_s, spec.probe_s, spec.rungs) == (0.3, 1_200, 60, ("rules",))
    assert spec.thresholds["systemic"] == 5
    assert spec.actions["unknown"] == ("later", "notify")
    assert spec.fixes == {"systemic": "make login"}
    assert (spec.rules[0].text, spec.rules[0].status) == ("not an idea page", (404,))
    assert spec.examples == (("the tuner is off", "systemic"),)
    assert (settings.tiers, settings.grace_s, settings.hours) == ({"pause": "high"}, 300, (480, 1_200))
    assert (settings.bell, settings.notify, settings.model_cost_usd_micros) == (True, ("json://x",), 10_000)


@pytest.mark.parametrize(
    ("doctor", "words"),
    [
        ("{rules: [{id: a, verdict: item, text: '(a+)+'}]}", "repeats what repeats"),
        ("{rules: [{id: a, verdict: item, text: '('}]}", "is no regular expression"),
        ("{rules: [{id: a, verdict: itme}]}", "verdict"),
        ("{on: {systemic: explode}}", "explode"),
        ("{threshold: 3}", "thresholds"),
    ],
)
def test_what_is_wrong_is_named(folder: Folder, doctor: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        folder.load(f"jobs: {{docs: {{handler: PLUGIN.work, doctor: {doctor}}}}}")
    assert words in str(caught.value)
