"""The labelled changes of `benchmarks/judge`: none that means something may be called harmless."""

from __future__ import annotations

import pytest

from benchmarks.judge.stale_changes import Case, cases

ENOUGH = 0.9
"""Share of the harmless changes that the rules settle; fewer would ask too many people."""


@pytest.fixture(scope="module")
def answers() -> list[tuple[Case, str]]:
    return [(case, case.verdict()) for case in cases()]


def test_no_semantic_change_is_called_harmless_and_most_harmless_ones_are_settled(
    answers: list[tuple[Case, str]],
) -> None:
    unsafe = [f"{case.program}: {case.title}" for case, said in answers if case.label == "semantic" != said]
    assert unsafe == []
    harmless = [said for case, said in answers if case.label != "semantic"]
    assert len(answers) > 300
    assert harmless.count("semantic") <= len(harmless) * (1 - ENOUGH)


def test_what_was_only_reworded_is_not_called_the_same(answers: list[tuple[Case, str]]) -> None:
    said = {case.title: verdict for case, verdict in answers if case.program == "articles"}
    assert said["a log line comes"] == "cosmetic"
    assert said["a local is renamed"] == "cosmetic"
    assert said["a comment is added"] == "same"
