"""The check `todo-scan`: TODO, FIXME, HACK and XXX comments in code, as findings.

It is for projects that keep TODOs out of their code; where they are wanted as items like those of TODO.md, the scan of
the `todos` job takes `comments: true` instead.

Params: `tags` (which of them, all when not given).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from engine.contracts.context import DiscoveryContext
from engine.contracts.item import Candidate
from engine.contracts.seam import accepts
from engine.kit.files import FileProblem, NoText, read_text
from plugins.checks.finding import Finding, around, candidates
from plugins.checks.prefix import prefix_of
from plugins.todos.comments import code_files
from plugins.todos.places import read_todos

CHECK: Final = "todo-scan"


@accepts("tags", "group")
async def discover(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Give one candidate per comment."""
    wanted = {str(tag).lower() for tag in ctx.params.get("tags") or ()}
    covered: list[str] = []
    complete = True
    for folder in ctx.repositories:
        prefix = prefix_of(ctx.root, folder)
        covered.append(prefix or ".")
        found: list[Finding] = []
        for path in await asyncio.to_thread(code_files, folder):
            if ctx.cancelled:
                ctx.scope(covered, complete=False)
                return
            try:
                items = await asyncio.to_thread(read_todos, folder, path)
                lines = read_text(folder, path).split("\n") if items else []
            except NoText:
                continue  # a video that ends in `.ts`, a dump, a submodule: nobody comments there
            except FileProblem as problem:
                ctx.problem(str(problem), path=path)
                complete = False
                continue
            for item in items:
                rule = item.tags[0].lstrip("#")
                if wanted and rule not in wanted:
                    continue
                first, shown = around(lines, item.line)
                found.append(
                    Finding(
                        rule=rule, type="todo", path=path, line=item.line, evidence=item.text,
                        sentence=f"says {rule.upper()}: {item.text}", first_line=first, lines=shown,
                        confidence=item.confidence, facts=tuple(("who", tag) for tag in item.tags[1:]),
                    )
                )  # fmt: skip
        for candidate in candidates(CHECK, prefix, found, group=ctx.params.get("group") is True):
            yield candidate
    ctx.scope(covered, complete=complete)
