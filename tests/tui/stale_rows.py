"""Stale results for the control room: a prompt that changed, code nobody knows, and what was kept."""

from __future__ import annotations

from dataclasses import replace

from engine.contracts.costs import BudgetView
from engine.contracts.staleness import BlessingView, StaleView, SymbolChange
from tests.tui.rows import HOUR, MINUTE, NOW, Sample, sample

OLD = 'PROMPT = "Summarise in 3 bullets"'
NEW = 'PROMPT = "Summarise in 5 bullets"'
BUDGET = BudgetView(
    name="all jobs", limit_usd_micros=5_000_000, spent_usd_micros=1_800_000, reserved_usd_micros=40_000, resets_at=NOW
)
PROMPT = ("PROMPT", "plugins/texts.py:3", OLD, NEW)


def with_stale() -> Sample:
    """Return the sample project after its code was changed."""
    rows = sample()
    rows.status = replace(rows.status, budget=BUDGET)
    rows.stale += [
        stale("docs", "outline", 11, change=PROMPT, by="rule", downstream=(("index", 11),)),
        stale("docs", "index", 2, change=PROMPT, by="model", confidence=0.88),
        stale("feeds", "fetch", 40, change=None, by=None),
    ]
    rows.kept.append(
        BlessingView(
            judgement=7, job="docs", stage="read", internal=False, old="a91f" * 8, new="a920" * 8, verdict="cosmetic",
            by="rule", why="only logging changed in read", results=48, at=NOW - HOUR,
        )
    )  # fmt: skip
    old, new = 'log.info("read %s", key)', 'log.info("has read %s", key)'
    rows.judged[7] = (SymbolChange(name="read", place="plugins/read.py:9", old=old, new=new, is_cosmetic=True),)
    return rows


def stale(
    job: str,
    stage: str,
    results: int,
    *,
    change: tuple[str, str, str, str] | None,
    by: str | None,
    confidence: float | None = None,
    downstream: tuple[tuple[str, int], ...] = (),
) -> StaleView:
    """Return stale results of one stage."""
    known = change is not None
    return StaleView(
        job=job,
        stage=stage,
        internal=False,
        old="19be" * 8 if known else None,
        new="4c02" * 8,
        results=results,
        verdict="semantic" if known else "unknown",
        by=by,
        why="PROMPT changed" if known else "nobody knows which code made them: there is no source to compare with",
        confidence=confidence,
        cost_usd_micros=4_000 if by == "model" else 0,
        judgement=1 if known else None,
        at=NOW - 20 * MINUTE if by else None,
        changes=(SymbolChange(name=change[0], place=change[1], old=change[2], new=change[3], is_cosmetic=False),)
        if change
        else (),
        doubts=(),
        item_ms=20_000,
        item_usd_micros=120_000,
        downstream=downstream,
        downstream_ms=11_000 * len(downstream),
        downstream_usd_micros=220_000 * len(downstream),
    )
