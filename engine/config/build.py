"""From valid keys to specs: defaults filled in, names looked up, and everything checked that two keys say together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.config.build_doctor import doctor_settings, job_doctor
from engine.config.build_models import build_backends, build_models
from engine.config.build_steering import eligibility, policy, recurrence, triage
from engine.config.document import KeyPath
from engine.config.nearest import did_you_mean
from engine.config.problems import Problems
from engine.config.resolve import Function, Resolver, Unresolved, accepted_params, is_async
from engine.config.timezone import local_timezone
from engine.contracts.rate import Rate
from engine.contracts.spec import (
    SOURCE_TIMEOUT_S,
    DiscoverySpec,
    JobSpec,
    ProjectSpec,
    ResourceSpec,
    Settings,
    StageSpec,
)
from engine.contracts.steering import IdleSpec, ValidateSpec
from engine.kit.safe_text import safe_line
from engine.rules.dag import CycleError, order

if TYPE_CHECKING:
    from engine.config.model import JobKeys, ProjectKeys, StageKeys

SINGLE_STAGE = "process"
"""Name of the stage of a job that has a handler and no stages."""


def build_project(
    keys: ProjectKeys, bare: StageKeys, problems: Problems, resolver: Resolver, *, root: Path, source: Path | None
) -> ProjectSpec:
    """Return the project; what is wrong is noted in `problems`, and then the result is not to be used.

    `bare` is a stage of which nothing is said.
    """
    if not keys.jobs:
        problems.add_new(("jobs",), "names no job")
    jobs = tuple(
        _Job(name, job, bare, problems, resolver, keys.resources, keys.models).build()
        for name, job in keys.jobs.items()
    )
    for name, job in keys.jobs.items():
        _check_target(name, job, keys.jobs, problems)
    for key in ("stale_model", "weight_model"):
        asked: str | None = getattr(keys.settings, key)
        if asked is not None and asked not in keys.models:
            near = did_you_mean(asked, keys.models)
            problems.add_new(("settings", key), f"there is no model `{asked}` under `models`{near}")
    settings = Settings(
        timezone=keys.settings.timezone or local_timezone(),
        daily_cost_usd_micros=keys.settings.daily_cost,
        idle=_idle(keys, problems, resolver),
        repositories=tuple(keys.settings.repositories),
        durability=keys.settings.durability,
        workers=keys.settings.workers,
        worker_memory=keys.settings.worker_memory,
        http_allow=tuple(host.lower() for host in keys.settings.http.allow),
        http_proxy=keys.settings.http.proxy,
        grace_s=keys.settings.grace,
        doctor=doctor_settings(keys.settings.doctor),
        stale_model=keys.settings.stale_model,
        weight_model=keys.settings.weight_model,
    )
    resources = tuple(
        ResourceSpec(
            name=name,
            capacity=resource.capacity,
            pace=rate(resource.pace, resource.burst, ("resources", name), problems),
        )
        for name, resource in keys.resources.items()
    )
    backends = build_backends(keys.backends, keys.models, problems, resolver, keys.resources, rate)
    return ProjectSpec(
        root=root,
        source=source,
        settings=settings,
        resources=resources,
        backends=backends,
        models=build_models(keys.models, [backend.name for backend in backends], problems),
        jobs=jobs,
    )


def _idle(keys: ProjectKeys, problems: Problems, resolver: Resolver) -> IdleSpec:
    """The idle probe; one that is not there is a problem of the whole project, as no job of its own would show it."""
    given = keys.settings.idle
    spec = IdleSpec(use=given.use, params=dict(given.model_extra or {}))
    try:
        accepted = accepted_params(resolver.hook(spec.use))
    except Unresolved as error:
        problems.add_new(("settings", "idle", "use"), str(error))
        return spec
    for name in spec.params:
        if accepted is not None and name not in accepted:
            near = did_you_mean(name, (*accepted, "use"))
            takes = ", ".join(accepted) or "none"
            problems.add_new(
                ("settings", "idle", name),
                f"`{spec.use}` has no param `{safe_line(name, 60)}`{near or f'; it takes {takes}'}",
            )
    return spec


def rate(pace: tuple[float, float] | None, burst: int | None, path: KeyPath, problems: Problems) -> Rate | None:
    """Return a pace with its burst; a burst without a pace is noted."""
    if pace is None:
        if burst is not None and not problems.has((*path, "pace")):
            problems.add_new((*path, "burst"), "belongs to a `pace`; there is none here")
        return None
    return Rate(count=pace[0], per_s=pace[1], burst=burst or 1)


def _check_target(name: str, job: JobKeys, jobs: dict[str, JobKeys], problems: Problems) -> None:
    """Findings of a check must go to a job that can take them."""
    path: KeyPath = ("jobs", name, "findings_to")
    target = job.findings_to
    if job.check is None:
        if target is not None:
            problems.add_new(path, "belongs to a check; this job has no `check`")
    elif target is None:
        problems.add_new(("jobs", name), "is a check: say with `findings_to` which job receives what it finds")
    elif target not in jobs:
        if not problems.has(("jobs", target)):
            problems.add_new(path, f"there is no job `{target}`{did_you_mean(target, set(jobs) - {name})}")
    elif jobs[target].check is not None:
        problems.add_new(path, f"`{target}` is a check itself; findings go to a job with stages")


class _Job:
    """One job on its way to a spec."""

    def __init__(
        self,
        name: str,
        keys: JobKeys,
        bare: StageKeys,
        problems: Problems,
        resolver: Resolver,
        resources: Collection[str],
        models: Collection[str],
    ) -> None:
        self._name = name
        self._resources = resources
        self._models = models
        self._keys = keys
        self._bare = bare
        self._problems = problems
        self._resolver = resolver
        self._broken: list[str] = []

    def build(self) -> JobSpec:
        keys = self._keys
        self._check_combination()
        discovery = self._check() if keys.check is not None else self._discovery()
        stages = () if keys.check is not None else self._stages()
        return JobSpec(
            name=self._name,
            title=safe_line(keys.title or self._name, 80),
            emoji=safe_line(keys.emoji, 16),
            internal=keys.internal,
            enabled=keys.enabled,
            discovery=discovery,
            is_check=keys.check is not None,
            findings_to=keys.findings_to,
            max_new=keys.max_new,
            max_open=keys.max_open,
            stages=stages,
            pace=rate(keys.pace, keys.burst, ("jobs", self._name), self._problems),
            priority=policy(keys.priority),
            triage=triage(keys.triage),
            eligibility=eligibility(keys.eligibility),
            recur=recurrence(keys.recur),
            still_true=self._still_true(),
            limit=keys.limit,
            backlog=keys.backlog,
            validate=self._validate(),
            daily_cost_usd_micros=keys.guards.daily_cost,
            doctor=job_doctor(keys.doctor, keys.guards.error_rate),
            keep_s=keys.keep,
            gone_after=keys.gone_after or (3 if keys.check is None else 1),
            detail_columns=tuple(keys.detail_columns),
            broken=self._why_broken(),
        )

    def _check_combination(self) -> None:
        keys = self._keys
        if keys.recur is not None and recurrence(keys.recur) is None and not self._problems.has(self._at(("recur",))):
            self._wrong(("recur",), "names no time: `each`, `after`, `cron` or `by`")
        self._check_triage()
        if keys.check is not None:
            if keys.discovery is not None:
                self._wrong(("check",), "a job has a `discovery` or a `check`, not both")
            if keys.stages is not None or keys.handler is not None:
                key = "stages" if keys.stages is not None else "handler"
                self._wrong((key,), "a check has no stages: its findings go through those of the job `findings_to`")
            return
        for key in ("max_new", "max_open"):
            if getattr(keys, key):
                self._wrong((key,), "belongs to a check: it limits what that finds")
        for key in ("every", "cron", "on_commit", "on_idle", "timeout"):
            if getattr(keys, key):
                attempts = " (that of attempts: below a stage)" if key == "timeout" else ""
                where = f"belongs to a check; in a job with a discovery, write it below `discovery`{attempts}"
                self._wrong((key,), where)
        if keys.params:
            self._wrong(("params",), "belongs to a check; write params below a stage, or keys below `discovery`")
        if keys.stages is None and keys.handler is None:
            self._wrong((), "needs `stages`, or a `handler` for a single stage, or a `check`")

    def _check_triage(self) -> None:
        gates = {stage.gate for entry in self._keys.stages or () for stage in entry.values()}
        if self._keys.triage and "accept" not in gates:
            self._wrong(("triage",), "has nothing to decide: no stage here says `gate: accept`")
        for index, rule in enumerate(self._keys.triage):
            if (rule.later is not None) != (rule.do == "snooze"):
                what = "needs `for`: how long it is put off" if rule.later is None else "`for` goes with `do: snooze`"
                self._wrong(("triage", index), what)
            if rule.auto and rule.do.startswith("P"):
                self._wrong(("triage", index, "auto"), "a priority before the scope is a person's word: propose it")

    def _check(self) -> DiscoverySpec:
        use = self._keys.check or ""
        params = self._keys.params
        self._resolve(self._resolver.discovery, use, ("check",), params, ("params",))
        self._one_schedule(self._keys.every, self._keys.cron, ("cron",))
        return DiscoverySpec(
            use=use,
            every_s=self._keys.every,
            cron=self._keys.cron,
            on_commit=self._keys.on_commit,
            on_idle_s=self._keys.on_idle,
            timeout_s=self._keys.timeout or SOURCE_TIMEOUT_S,
            params=params,
        )

    def _discovery(self) -> DiscoverySpec | None:
        keys = self._keys.discovery
        if keys is None:
            return None
        params = dict(keys.model_extra or {})
        own = tuple(vars(keys))
        self._resolve(self._resolver.discovery, keys.use, ("discovery", "use"), params, ("discovery",), *own)
        self._one_schedule(keys.every, keys.cron, ("discovery", "cron"))
        return DiscoverySpec(
            use=keys.use,
            every_s=keys.every,
            cron=keys.cron,
            on_commit=keys.on_commit,
            on_idle_s=keys.on_idle,
            timeout_s=keys.timeout,
            params=params,
        )

    def _still_true(self) -> str | None:
        dotted = self._keys.still_true
        if dotted is not None:
            self._resolve(self._resolver.hook, dotted, ("still_true",), {}, ("still_true",))
        return dotted

    def _validate(self) -> ValidateSpec | None:
        keys = self._keys.guards.check
        if keys is None:
            return None
        params = dict(keys.model_extra or {})
        path: KeyPath = ("guards", "validate")
        self._resolve(self._resolver.hook, keys.use, (*path, "use"), params, path, *vars(keys))
        return ValidateSpec(use=keys.use, every_s=keys.every, params=params)

    def _one_schedule(self, every: float | None, cron: str | None, path: KeyPath) -> None:
        if every is not None and cron is not None:
            self._wrong(path, "stands in place of `every`; keep one of them")

    def _stages(self) -> tuple[StageSpec, ...]:
        keys = self._keys
        if keys.stages is None:
            return (self._stage(SINGLE_STAGE, self._bare, (), ("handler",)),) if keys.handler is not None else ()
        after: dict[str, tuple[str, ...]] = {}
        specs: dict[str, StageSpec] = {}
        names = [name for entry in keys.stages for name in entry]
        above: tuple[str, ...] = ()
        for index, entry in enumerate(keys.stages):
            for name, stage in entry.items():
                path: KeyPath = ("stages", index, name)
                if name in specs:
                    self._wrong(path, f"there are two stages named `{name}`")
                    continue
                for needed in stage.after or ():
                    if needed not in names:
                        near = did_you_mean(needed, [other for other in names if other != name])
                        self._wrong((*path, "after"), f"there is no stage `{needed}`{near}")
                after[name] = tuple(dict.fromkeys(stage.after)) if stage.after is not None else above
                specs[name] = self._stage(name, stage, after[name], path)
                above = (name,)
        try:
            return tuple(specs[name] for name in order(after))
        except CycleError as error:
            index = next(index for index, entry in enumerate(keys.stages) if error.cycle[0] in entry)
            what = "comes after itself" if len(error.cycle) == 1 else f"stages wait for each other in a circle: {error}"
            self._wrong(("stages", index, error.cycle[0], "after"), what)
            return tuple(specs.values())

    def _stage(self, name: str, keys: StageKeys, after: tuple[str, ...], path: KeyPath) -> StageSpec:
        handler = keys.handler or self._keys.handler
        function = None
        if handler is None:
            self._wrong(path, "has no handler: name one here, or one for all stages at the job")
        else:
            where = (*path, "handler") if keys.handler is not None else ("handler",)
            function = self._resolve(self._resolver.handler, handler, where, keys.params, (*path, "params"))
        if function is not None and keys.runs is not None:
            self._check_place(keys.runs, is_async(function), (*path, "runs"))
        for resource in keys.resource:
            if resource not in self._resources:
                near = did_you_mean(resource, self._resources)
                self._wrong((*path, "resource"), f"there is no resource `{resource}` under `resources`{near}")
        if keys.model is not None and keys.model not in self._models:
            near = did_you_mean(keys.model, self._models)
            self._wrong((*path, "model"), f"there is no model `{keys.model}` under `models`{near}")
        return StageSpec(
            name=name,
            handler=handler or "",
            is_async=function is None or is_async(function),
            runs=keys.runs,
            after=after,
            gate=keys.gate,
            enabled=keys.enabled,
            concurrency=keys.concurrency,
            timeout_s=keys.timeout,
            attempts=keys.attempts,
            backoff_s=keys.backoff,
            backoff_max_s=max(keys.backoff, keys.backoff_max),
            later_times=keys.later_times,
            later_for_s=keys.later_for,
            on_interrupt=keys.on_interrupt,
            pace=rate(keys.pace, keys.burst, ("jobs", self._name, *path), self._problems),
            resources=tuple(dict.fromkeys(keys.resource)),
            model=keys.model,
            needs_model=keys.needs == "llm",
            max_cost_usd_micros=keys.max_cost,
            params=keys.params,
            reads=tuple(dict.fromkeys(keys.reads)),
            packages=tuple(dict.fromkeys(keys.packages)),
            deterministic=keys.deterministic,
            outputs=dict(keys.outputs),
        )

    def _check_place(self, place: str, asynchronous: bool, path: KeyPath) -> None:
        if place == "loop" and not asynchronous:
            self._wrong(path, "a plain function would stop the engine while it runs; leave `runs` out, or say `thread`")
        if place == "thread" and asynchronous:
            self._wrong(path, "an `async def` needs no thread; leave `runs` out, or say `process`")

    def _resolve(
        self,
        resolve: Callable[[str], Function],
        dotted: str,
        where: KeyPath,
        params: dict[str, Any],
        params_path: KeyPath,
        *also: str,
    ) -> Function | None:
        """Look the function up and hold its params against what it declares; `also` are keys that stand among them."""
        try:
            function = resolve(dotted)
        except Unresolved as error:
            self._broken.append(f"{error} — {self._problems.where(self._at(where))}")
            return None
        accepted = accepted_params(function)
        if accepted is None:
            return function
        for name in params:
            if name not in accepted:
                near = did_you_mean(name, (*accepted, *also))
                takes = ", ".join(accepted) or "none"
                self._wrong(
                    (*params_path, name),
                    f"`{dotted}` has no param `{safe_line(name, 60)}`{near or f'; it takes {takes}'}",
                )
        return function

    def _why_broken(self) -> str | None:
        if not self._broken:
            return None
        more = len(set(self._broken)) - 1
        return self._broken[0] + (f" (and {more} more)" if more else "")

    def _at(self, path: KeyPath) -> KeyPath:
        return ("jobs", self._name, *path)

    def _wrong(self, path: KeyPath, message: str) -> None:
        self._problems.add_new(self._at(path), message)
