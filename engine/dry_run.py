"""Run one stage on one item and store nothing: for whoever writes a handler."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import tempfile
from pathlib import Path
from typing import Any

from engine.config.resolve import Resolver
from engine.contracts.errors import UseError
from engine.contracts.spec import JobSpec, ProjectSpec, StageSpec
from engine.contracts.view import ItemDetail
from engine.kit.exceptions import describe
from engine.kit.http import Http
from engine.kit.safe_text import safe_line
from engine.store.checkpoints import encode
from engine.work.context import AttemptContext, ContextItem, Ways
from engine.work.wire import encode_emitted, encode_outcome


def dry_run(project: ProjectSpec, job: JobSpec, stage: StageSpec, detail: ItemDetail) -> dict[str, Any]:
    """Call the handler of a stage with a stored item and its stored upstream results, in this process.

    Returns what it returned or raised, what it emitted, and the artifacts it wrote (their folder is removed again).
    What the handler does to the world it does.
    """
    before = _ancestors(job, stage)
    handler = Resolver(project.source.parent.absolute() if project.source else None).handler(stage.handler)
    item = detail.item
    with tempfile.TemporaryDirectory(prefix="rivus-dry-run-") as folder:
        context = AttemptContext(
            job=job.name,
            stage=stage.name,
            item=ContextItem(
                item.key,
                item.title,
                item.data,
                item.path,
                item.line,
                item.headings,
                detail.steering.signals,
                item.priority,
            ),
            upstream={
                one.stage: one.output
                for one in detail.stages
                if one.stage in before and one.state == "done" and one.output is not None
            },
            attempt=1,
            params=stage.params,
            root=project.root,
            artifacts=Path(folder),
            home=Ways(logger=lambda: logging.getLogger("rivus.handler"), checkpoint=_Forgotten),
            http=Http(allow=project.settings.http_allow, proxy=project.settings.http_proxy),
        )
        told: dict[str, Any] = {"job": job.name, "stage": stage.name, "key": item.key}
        try:
            answer = handler(context)
            outcome = asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer
            told |= {"outcome": encode_outcome(outcome), "emitted": encode_emitted(context.emitted)}
            json.dumps(told, allow_nan=False)
        except BaseException as error:
            problem = describe(error)
            told.pop("outcome", None)
            told |= {"raised": problem.error_type, "message": problem.message, "traceback": problem.traceback}
        told["artifacts"] = sorted(path.name for path in Path(folder).iterdir())
    return told


class _Forgotten:
    """Implements `engine.contracts.context.Checkpoint`; keeps nothing, as nothing of a trial is kept."""

    def load(self) -> Any:
        return None

    async def save(self, value: Any) -> None:
        encode(value)

    def save_and_wait(self, value: Any) -> None:
        encode(value)


def _ancestors(job: JobSpec, stage: StageSpec) -> frozenset[str]:
    """Names of all stages that come before this one, whatever the order they are listed in."""
    after = {one.name: one.after for one in job.stages}
    found: set[str] = set()
    waiting = list(stage.after)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += after[name]
    return frozenset(found)


async def _awaited(answer: Any) -> Any:
    return await answer


def find_stage(job: JobSpec, name: str | None) -> StageSpec:
    """Return the stage to try: the named one, or the only one there is."""
    if name is None:
        if len(job.stages) == 1:
            return job.stages[0]
        raise UseError(f"say which stage of {job.name} with --stage: {', '.join(stage.name for stage in job.stages)}")
    stage = job.stage(name)
    if stage is None:
        known = ", ".join(stage.name for stage in job.stages)
        raise UseError(f"{job.name} has no stage `{safe_line(name, 80)}`; it has: {known or 'none'}")
    return stage
