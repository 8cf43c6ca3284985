"""What the screens Costs and Resources say about money and models, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from engine.contracts.costs import BudgetView, CostsView, CostView, ModelsView, QuotaView
from rivus_tui.cost_chart import chart_lines
from rivus_tui.format import Cell, Line, cell, fit, fit_line, line, money, plural, prose, until
from rivus_tui.spark import bar
from rivus_tui.theme import Role

PERIODS: Final[tuple[tuple[str, int], ...]] = (("30 days", 30), ("7 days", 7), ("24 hours", 1))
"""What can be looked at: name and days."""

_STATE_ROLES: Final[dict[str, Role]] = {
    "free": "ok",
    "busy": "run",
    "used up": "wait",
    "blocked": "wait",
    "broken": "bad",
}
_TALK_ROLES: Final[dict[str, Role]] = {
    "asking": "run",
    "paused": "wait",
    "waiting": "wait",
    "doubt": "bad",
    "closed": "muted",
}
_BAR: Final = 12
_NAME: Final = 40


def period_tabs(chosen: int) -> Line:
    """The periods, the open one strong."""
    parts = []
    for at, (name, _) in enumerate(PERIODS):
        parts.append(Cell(f"[{name}]" if at == chosen else f" {name} ", "strong" if at == chosen else "muted"))
    return (Cell("Last "), *parts)


def cost_lines(view: CostsView | None, now: int, width: int) -> Iterator[Line]:
    """Everything about money: the sum, limits, then by job, model, purpose and day."""
    if view is None:
        return
    total = view.total
    saved = f", {money(total.saved_usd_micros)} saved" if total.saved_usd_micros else ""
    failed = Cell(f", {total.failed} failed", "bad") if total.failed else Cell("")
    told = f"  {plural(total.calls, 'call')} of models, {total.cached} from the cache{saved}"
    yield fit_line((Cell(money(total.usd_micros), "strong"), Cell(told), failed), width)
    if not view.jobs and not view.budgets:
        yield ()
        yield line(Cell("Nothing was spent in this time. What models cost, and what stages report, is counted here."))
        return
    if drawn := chart_lines(view.quarters, view.since, now, width):
        yield ()
        yield from drawn
    if view.budgets:
        yield ()
        yield (Cell("DAILY LIMITS", "head"),)
        for budget in view.budgets:
            yield fit_line(_budget(budget, now), width)
    for title, rows in (
        ("JOB", view.jobs), ("STAGE", view.stages), ("MODEL", view.models), ("PURPOSE", view.purposes),
        ("DAY", view.days),
    ):  # fmt: skip
        if rows:
            yield ()
            yield from _table(title, rows, width)


def _budget(budget: BudgetView, now: int) -> Line:
    used = budget.spent_usd_micros + budget.reserved_usd_micros
    share = min(1.0, used / budget.limit_usd_micros)
    role: Role = "bad" if share >= 1 else "wait" if share >= 0.8 else "ok"
    way = f" ({money(budget.reserved_usd_micros)} on its way)" if budget.reserved_usd_micros else ""
    return (
        _name(budget.name, 20),
        Cell(" "),
        Cell(f"{money(budget.spent_usd_micros)} of {money(budget.limit_usd_micros)} ".ljust(18)),
        Cell(bar(used, budget.limit_usd_micros, _BAR), role),
        Cell(f"{way}  anew {until(now, budget.resets_at)}", "muted"),
    )


def _table(title: str, rows: Sequence[CostView], width: int) -> Iterator[Line]:
    """One line for each, with its share of the whole; what stages cost is known by attempt, not by call."""
    wide, of_stages = width >= 96, title == "STAGE"
    name = min(max(12, width - (79 if wide else 53)), _NAME)
    head = fit(title, name) + fit("COST", 10, "right") + " " + fit("SHARE", _BAR)
    head += fit("RUNS" if of_stages else "CALLS", 8, "right") + fit("" if of_stages else "CACHED", 8, "right")
    head += fit("FAILED", 8, "right")
    if wide and not of_stages:
        head += fit("TOKENS IN", 11, "right") + fit("OUT", 9, "right") + fit("MEAN", 6, "right")
    yield (Cell(head, "head"),)
    whole = sum(row.usd_micros for row in rows)
    for row in rows:
        parts = [
            _name(row.name, name),
            Cell(fit(money(row.usd_micros), 10, "right")),
            Cell(" " + fit("#" * len(bar(row.usd_micros, whole, _BAR).rstrip(".")), _BAR), "run"),
            Cell(fit(f"{row.calls:,}", 8, "right")),
            Cell(fit("" if of_stages else f"{row.cached:,}", 8, "right"), "muted"),
            Cell(fit(f"{row.failed:,}", 8, "right"), "bad" if row.failed else "muted"),
        ]
        if wide and not of_stages:
            mean = "" if row.mean_ms is None else f"{row.mean_ms / 1000:.1f}s"
            parts += [
                Cell(fit(f"{row.tokens_in:,}", 11, "right"), "muted"),
                Cell(fit(f"{row.tokens_out:,}", 9, "right"), "muted"),
                Cell(fit(mean, 6, "right"), "muted"),
            ]
        yield fit_line(parts, width)


def model_lines(view: ModelsView | None, now: int, width: int) -> Iterator[Line]:
    """Backends and quotas, who waits for them, and conversations."""
    if view is None:
        return
    if not view.quotas:
        yield from prose(
            "No model is configured. `models:` in jobs.yaml names them; everything else works without.", width, ""
        )
        return
    yield (
        Cell(fit("MODELS AND QUOTAS", 30) + fit("TODAY", 10, "right") + fit("BUSY", 7, "right") + "  STATE", "head"),
    )
    for quota in view.quotas:
        yield fit_line(_quota(quota, now), width)
    if view.waits:
        yield ()
        yield (Cell("WAITING FOR A MODEL, THE MOST URGENT FIRST", "head"),)
        for wait in view.waits:
            who = " ".join(part for part in (wait.job, wait.key) if part) or "(asked)"
            when = f"  {until(now, wait.until)}" if wait.until is not None else ""
            parts = (_name(who, 30), Cell(" "), cell(wait.alias, "strong"), _after(f"{wait.why}{when}"))
            yield fit_line(parts, width)
    if view.conversations:
        yield ()
        yield (
            Cell(fit("CONVERSATIONS", 30) + fit("TURNS", 7, "right") + fit("COST", 10, "right") + "  STATE", "head"),
        )
        for talk in view.conversations:
            who = " ".join(part for part in (talk.job, talk.key, talk.name) if part)
            when = f"  {until(now, talk.until)}" if talk.until is not None and talk.until > now else ""
            told = f"{talk.why}{when}" if talk.why else ""
            yield fit_line(
                (
                    _name(who, 30),
                    Cell(fit(str(talk.turns), 7, "right")),
                    Cell(fit(money(talk.usd_micros), 10, "right")),
                    _after(talk.state, _TALK_ROLES.get(talk.state, "ok")),
                    _after(told, "muted"),
                ),
                width,
            )


def _quota(quota: QuotaView, now: int) -> Line:
    used = f"{quota.used}/{quota.per_day}" if quota.per_day is not None else str(quota.used or "")
    busy = f"{quota.busy}/{quota.concurrency}" if quota.concurrency is not None else str(quota.busy or "")
    pace = f"pace {quota.pace}" if quota.pace else ""
    when = until(now, quota.until) if quota.until is not None else ""
    told = "  ".join(part for part in (quota.why, when, pace) if part)
    return (
        _name(quota.name, 30),
        Cell(fit(used, 10, "right")),
        Cell(fit(busy, 7, "right")),
        _after(quota.state, _STATE_ROLES[quota.state]),
        _after(told, "muted"),
    )


def _name(text: str, width: int) -> Cell:
    """A name in a column of its own."""
    return Cell(fit(cell(text).text, width))


def _after(text: str, role: Role = "") -> Cell:
    """Text behind a column, cleaned, after two blanks; nothing for nothing."""
    return Cell(f"  {cell(text).text}", role) if text else Cell("")
