"""Stage `clickup`: make a task in a ClickUp list for an accepted TODO, once; it changes nothing there.

Off unless a job names it. A task carries a mark in its description; before one is made after an attempt that may have
made it already (a crash, a lost answer), the list is searched for that mark.

Params: `list` (id of the list), `token_env` (name of the variable with the token: CLICKUP_TOKEN), `url` (of the API).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.outcome import Done, Fail
from engine.contracts.seam import accepts
from engine.kit.safe_text import safe_line
from engine.kit.secrets import Secrets

_URL: Final = "https://api.clickup.com/api/v2"
_PAGES_MAX: Final = 50
"""Pages of a hundred tasks that are searched for a mark."""


class NoToken(PermissionError):
    """There is no token to ask ClickUp with: an operator has to set it."""


@accepts("list", "token_env", "url")
async def handle(ctx: Context) -> Done | Fail:
    """Hand on {task, url, made}; `made` is false where an earlier attempt had made it."""
    listed = str(ctx.params.get("list") or "")
    if not listed.isalnum():
        return Fail(why="`list` of this stage is the id of a ClickUp list")
    base = str(ctx.params.get("url") or _URL).rstrip("/")
    name = str(ctx.params.get("token_env") or "CLICKUP_TOKEN")
    secret = Secrets(Path(ctx.root), os.environ).find(name)
    if secret.value is None:
        raise NoToken(f"{name} is not set ({secret.source}); ClickUp is asked with it")
    headers = {"Authorization": secret.value}
    mark = f"rivus:{ctx.job}/{ctx.item.key}"
    if ctx.checkpoint.load() is not None:
        found = await _find(ctx, f"{base}/list/{listed}/task", headers, mark)
        if found is not None:
            return _done(found, made=False)
    await ctx.checkpoint.save({"asked": True})
    answer = await ctx.http.request("POST", f"{base}/list/{listed}/task", headers=headers, json=_task(ctx, mark))
    return _done(answer.json(), made=True)


async def _find(ctx: Context, url: str, headers: Mapping[str, str], mark: str) -> Mapping[str, Any] | None:
    """The task that carries a mark."""
    for page in range(_PAGES_MAX):
        params = {"page": page, "include_closed": "true", "subtasks": "true", "include_markdown_description": "true"}
        told = (await ctx.http.get(url, headers=headers, params=params)).json()
        tasks = told.get("tasks") if isinstance(told, Mapping) else None
        for task in tasks or ():
            described = f"{task.get('description')}\n{task.get('markdown_description')}\n{task.get('text_content')}"
            if mark in described.split():
                return task if isinstance(task, Mapping) else None
        if not tasks or told.get("last_page") is True:
            return None
    raise RuntimeError(
        f"the list has more than {_PAGES_MAX * 100:,} tasks; it is not clear whether one was made already"
    )


def _task(ctx: Context, mark: str) -> dict[str, Any]:
    item = ctx.item
    scope = ctx.upstream.get("scope", {})
    where = f"{item.path}:{item.line}" if item.path and item.line else item.path or ""
    parts = [str(item.data.get("raw") or item.title), str(scope.get("summary") or ""), where, mark]
    told: dict[str, Any] = {
        "name": safe_line(item.title, 200),
        "markdown_description": "\n\n".join(filter(None, parts)),
    }
    if item.priority is not None:
        told["priority"] = item.priority + 1  # 1 is urgent there
    return told


def _done(task: object, *, made: bool) -> Done:
    if not isinstance(task, Mapping) or not task.get("id"):
        raise RuntimeError("ClickUp answered without the id of a task")
    told = {"task": safe_line(str(task["id"]), 60), "url": safe_line(str(task.get("url") or ""), 200), "made": made}
    return Done(output={**told, "summary": f"ClickUp task {told['task']}"})
