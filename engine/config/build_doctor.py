"""From valid keys to the values that say how failures are treated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.contracts.doctor import DEFAULT_ACTIONS, DEFAULT_THRESHOLDS, DoctorSettings, DoctorSpec, OwnRule

if TYPE_CHECKING:
    from engine.config.doctor import DoctorKeys, ErrorRateKeys, JobDoctorKeys


def job_doctor(keys: JobDoctorKeys, rate: ErrorRateKeys | None) -> DoctorSpec:
    """The keys of a job as a value."""
    return DoctorSpec(
        rungs=tuple(keys.classifiers),
        rules=tuple(
            OwnRule(
                id=rule.id, cls=rule.verdict, type=rule.type, text=rule.text, status=tuple(rule.status), fix=rule.fix
            )
            for rule in keys.rules
        ),
        examples=tuple((example.text, example.verdict) for example in keys.examples),
        actions={**DEFAULT_ACTIONS, **{cls: tuple(actions) for cls, actions in keys.on.items()}},
        thresholds={**DEFAULT_THRESHOLDS, **keys.thresholds},
        fixes=dict(keys.fixes),
        cache_s=keys.cache,
        probe_s=keys.probe,
        error_rate=rate.over if rate else None,
        error_window_s=rate.window if rate else 900.0,
    )


def doctor_settings(keys: DoctorKeys) -> DoctorSettings:
    """The keys of the project as a value."""
    return DoctorSettings(
        tiers=dict(keys.tiers),
        grace_s=keys.grace,
        hours=(_minutes(keys.hours[:5]), _minutes(keys.hours[6:])),
        notify=tuple(keys.notify),
        notify_per_hour=keys.notify_per_hour,
        quiet=None if keys.quiet is None else (_minutes(keys.quiet[:5]), _minutes(keys.quiet[6:]) % 1440),
        bell=keys.bell,
        model=keys.model,
        model_cost_usd_micros=keys.max_cost,
        prompt=keys.prompt,
    )


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
