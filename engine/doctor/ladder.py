"""Who is asked about a failure, in which order: a person's earlier word, the rules, the cache; then a model.

Pure but for what it remembers of texts it has taken apart: ten thousand equal errors are read once.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from engine.contracts.doctor import DoctorSpec, OwnRule
from engine.contracts.values import dataclass
from engine.contracts.verdict import Failure, Neighbourhood, Verdict
from engine.kit.redact import redact
from engine.rules.verdicts.facts import TAIL_LIMIT, facts_of
from engine.rules.verdicts.rule import FIXES, Rule
from engine.rules.verdicts.signature import Signature, signature_of
from engine.rules.verdicts.sort import judge_facts, weigh
from engine.store.incidents import Failed

REMEMBERED: Final = 4_096
UNKNOWN: Final = Verdict(cls="unknown", confidence="low", by="none", reason="no rule applies", fix=FIXES["unknown"])


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says by itself."""

    failure: Failure
    signature: Signature
    verdict: Verdict


class Ladder:
    """Reads failures of one job."""

    def __init__(self, job: str, spec: DoctorSpec) -> None:
        self._job = job
        self._spec = spec
        self._own = tuple(own_rule(rule) for rule in spec.rules)
        self._read: OrderedDict[tuple[str, str, str, str], Reading] = OrderedDict()

    def read(self, stage: str, failed: Failed) -> Reading:
        """Take a failure apart, once for equal texts."""
        key = (stage, failed.error_type, failed.message, failed.traceback)
        if (known := self._read.get(key)) is not None:
            self._read.move_to_end(key)
            return known
        failure = Failure(
            job=self._job,
            stage=stage,
            exc_type=failed.error_type,
            message=redact(failed.message),
            traceback_tail=redact(failed.traceback[-TAIL_LIMIT:]),
        )
        facts = facts_of(failure)
        verdict = judge_facts(facts, self._own) if "rules" in self._spec.rungs else UNKNOWN
        reading = self._read[key] = Reading(failure, signature_of(failure, facts), verdict)
        if len(self._read) > REMEMBERED:
            self._read.popitem(last=False)
        return reading

    def judge(
        self, reading: Reading, *, known: Callable[[], Verdict | None], around: Callable[[], Neighbourhood]
    ) -> Verdict:
        """The verdict without a model: a person's word, the rules with what happened around, the cache."""
        said = known()
        if said is not None and said.by == "person":
            return self._worded(said)
        verdict = weigh(reading.verdict, around())
        if verdict.cls == "unknown" and said is not None and "cache" in self._spec.rungs:
            verdict = said
        return self._worded(verdict)

    def _worded(self, verdict: Verdict) -> Verdict:
        """With the job's own words on what to do."""
        fix = self._spec.fixes.get(verdict.cls)
        return replace(verdict, fix=fix) if fix else verdict


def own_rule(rule: OwnRule) -> Rule:
    """A rule of a job as a rule."""
    return Rule(
        id=rule.id,
        cls=rule.cls,
        sure="high",
        types=rule.type,
        raw=rule.text,
        status=rule.status,
        fix=rule.fix,
        example=(),
    )


def evidence(reading: Reading, keys: Sequence[str]) -> str:
    """What the classifier saw, as JSON."""
    failure = reading.failure
    return json.dumps(
        {
            "job": failure.job,
            "stage": failure.stage,
            "exc_type": failure.exc_type,
            "message": failure.message,
            "traceback_tail": failure.traceback_tail,
            "keys": list(keys),
        }
    )
