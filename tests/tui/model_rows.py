"""Canned rows of money and models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from engine.contracts.costs import (
    BudgetView,
    CallView,
    ConversationView,
    CostsView,
    CostView,
    ModelsView,
    ModelWaitView,
    QuotaView,
)

_HOUR: Final = 3_600_000


def cost(name: str, usd_micros: int, calls: int, **more: Any) -> CostView:
    """One row of costs."""
    told: dict[str, Any] = {"cached": 0, "failed": 0, "tokens_in": calls * 900, "tokens_out": calls * 120}
    return CostView(
        name=name, usd_micros=usd_micros, calls=calls, saved_usd_micros=0, mean_ms=1_800, **{**told, **more}
    )


def costs(since: int, now: int) -> CostsView:
    """A month of a small project."""
    return CostsView(
        since=since,
        total=CostView(
            name="total", calls=331, cached=48, failed=6, tokens_in=298_000, tokens_out=39_700, usd_micros=1_842_300,
            saved_usd_micros=211_000, mean_ms=1_800,
        ),
        jobs=(cost("docs", 1_204_000, 214, cached=40, p95_ms=9_000, failed_usd_micros=20_000),
              cost("todos", 610_100, 109, failed=6),
              cost("(asked)", 28_200, 8)),
        models=(cost("openai/gpt-5", 1_310_000, 41), cost("openai/gpt-5-mini", 532_300, 286, failed=6, cached=48),
                cost("local/qwen3", 500_000, 4, unpriced=4)),
        items=(cost("docs/docs/a.md", 531_000, 12, unpriced=1, p95_ms=2_400),),
        today_usd_micros=640_000,
        forecast_usd_micros=1_105_000,
        purposes=(cost("scope", 980_000, 140), cost("summarise", 834_100, 183), cost("ask", 28_200, 8)),
        stages=(cost("docs.summarise", 1_204_000, 214), cost("todos.scope", 610_100, 109, failed=6)),
        quarters=tuple(
            (now - hours * _HOUR, usd_micros)
            for hours, usd_micros in ((30, 1_202_300), (20, 90_000), (9, 130_000), (3, 240_000), (0, 180_000))
        ),
        days=(cost("2026-10-28", 640_000, 120), cost("2026-10-27", 1_202_300, 211)),
        budgets=(
            BudgetView(name="all jobs", limit_usd_micros=5_000_000, spent_usd_micros=640_000,
                       reserved_usd_micros=12_000, resets_at=now + 9 * _HOUR),
            BudgetView(name="docs", limit_usd_micros=700_000, spent_usd_micros=601_000,
                       reserved_usd_micros=0, resets_at=now + 9 * _HOUR),
        ),
    )  # fmt: skip


def calls(now: int) -> list[CallView]:
    """Some requests, the newest first."""
    made = CallView(
        ended_at=now - 61_000, job="docs", key="docs/a.md", model="openai/gpt-5", purpose="summarise", state="settled",
        ms=2_400, usd_micros=31_000, is_estimate=False, tokens_in=1_900, tokens_out=240, error=None,
        stage="summarise",
    )  # fmt: skip
    return [
        made,
        replace(made, ended_at=now - 95_000, model="local/qwen3", usd_micros=500_000, is_estimate=True),
        replace(made, ended_at=now - 120_000, job="(asked)", key=None, state="failed", error="429 Too Many Requests"),
    ]


def quota(name: str, **more: Any) -> QuotaView:
    """One quota."""
    told: dict[str, Any] = {
        "per_day": None, "used": 0, "resets_at": None, "concurrency": None, "busy": 0, "pace": None, "state": "free",
        "why": None, "until": None,
    }  # fmt: skip
    return QuotaView(name=name, **{**told, **more})


def models(now: int) -> ModelsView:
    """Backends in every state, one who waits, conversations."""
    return ModelsView(
        quotas=(
            quota("browser", concurrency=1, busy=1, state="busy", why="1 of 1 places taken"),
            quota("browser/deep", per_day=20, used=20, state="used up", why="20 of 20 used today",
                  until=now + 9 * _HOUR),
            quota("openai", concurrency=4, busy=2, pace="60/m"),
            quota("openai/gpt-5", state="blocked", why="Rate limit reached", until=now + 40_000),
            quota("openai/gpt-5-mini", used=286, busy=2),
            quota("local/qwen3", state="broken", why="failed 5 times in a row: no connection", until=now + 30_000),
            quota("model:fast", used=290),
        ),
        waits=(
            ModelWaitView(alias="deep", purpose="review", job="todos", key="k3f9", since=now - 40_000,
                          why="browser: 1 of 1 places taken", until=None),
        ),
        conversations=(
            ConversationView(name="explore", job="docs", key="guide.md", alias="deep", state="asking", why=None,
                             until=None, turns=14, usd_micros=120_000, updated_at=now),
            ConversationView(name="review", job="todos", key="k3f9", alias="deep", state="paused",
                             why="a more urgent request took browser", until=None, turns=3, usd_micros=0,
                             updated_at=now),
            ConversationView(name="old", job="docs", key="a.md", alias="deep", state="doubt",
                             why="the engine ended while it waited for an answer", until=None, turns=2, usd_micros=0,
                             updated_at=now),
        ),
    )  # fmt: skip
