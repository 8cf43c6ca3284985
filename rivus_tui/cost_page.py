"""What the screens Costs and Resources say about money and models, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from engine.contracts.costs import BudgetView, CallView, CostsView, CostView, ModelsView, QuotaView
from rivus_tui.cost_chart import chart_lines
from rivus_tui.format import (
    Cell,
    Line,
    cell,
    duration,
    fit,
    fit_line,
    moment,
    money,
    plural,
    prose,
    spread,
    until,
    width_of,
)  # fmt: skip
from rivus_tui.spark import bar
from rivus_tui.theme import Role

PERIODS: Final[tuple[tuple[str, int], ...]] = (("1 hour", 1), ("24 hours", 24), ("7 days", 168), ("30 days", 720))
"""How far back can be looked: name and hours."""
GROUPS: Final = ("job", "model", "stage", "item", "purpose", "day")
"""What the sums can be of."""

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
_ALL_CHOICES: Final = 110
"""Terminal cells from which on all that can be chosen is shown."""


def choices(period: int, group: int, width: int) -> list[Cell]:
    """Which time and which sums are shown, among all there are where these fit beside the number of rows."""
    names = [name for name, _ in PERIODS]
    if width >= _ALL_CHOICES:
        return [Cell("Last "), *_choices(names, period), Cell("   by "), *_choices(GROUPS, group)]
    return [Cell("Last "), Cell(f"[{names[period]}]", "strong"), Cell("  by "), *_choices(GROUPS, group)]


def _choices(names: Sequence[str], chosen: int) -> Iterator[Cell]:
    for at, name in enumerate(names):
        yield Cell(f"[{name}]", "strong") if at == chosen else Cell(f" {name} ", "muted")


def cost_lines(view: CostsView | None, group: str, now: int, width: int, *, hidden: bool = False) -> Iterator[Line]:
    """Everything about money but the list of sums: the sum and what today will come to, bars over time, limits.

    `hidden`: whether a filter hides every row of the list.
    """
    if view is None:
        return
    rows = rows_of(view, group)
    if hidden:
        yield from prose("The filter hides every row.  Esc clears it.", width, "wait")
    elif not rows and view.jobs:
        yield from prose(f"Nothing of it is known by {group}.  ] shows other sums.", width)
    elif not rows:
        yield from prose(
            "Nothing was spent in this time. What models cost, and what stages report, is counted here.", width, ""
        )
    if any(row.unpriced for row in rows):
        yield from prose("? was not priced by its model; it is counted at the most it may have cost.", width)
    total = view.total
    saved = f", {money(total.saved_usd_micros)} saved" if total.saved_usd_micros else ""
    failed = [Cell(f", {total.failed} failed", "bad")] if total.failed else []
    told = f"  {plural(total.calls, 'call')} of models, {total.cached} from the cache{saved}"
    today = f"today {money(view.today_usd_micros)}, by midnight about {money(view.forecast_usd_micros)}"
    left = [Cell(money(total.usd_micros), "strong"), Cell(told), *failed]
    right = [Cell(today, "muted")] if view.forecast_usd_micros else []
    if width_of([*left, *right]) + 2 <= width:
        yield spread(left, right, width) if right else tuple(left)
    else:
        yield from [tuple(left)] if width_of(left) <= width else _narrow(total, saved, width)
        yield from prose(today, width) if right else ()
    if drawn := chart_lines(view.quarters, view.since, now, width):
        yield ()
        yield from drawn
    if view.budgets:
        yield ()
        yield (Cell("DAILY LIMITS", "head"),)
        for budget in view.budgets:
            yield from _budget(budget, now, width)


def _narrow(total: CostView, saved: str, width: int) -> Iterator[Line]:
    """The sum, in as many lines as it needs."""
    calls = f"  {plural(total.calls, 'call')} of models"
    yield fit_line([Cell(money(total.usd_micros), "strong"), Cell(calls)], width)
    yield from prose(f"{total.cached} from the cache{saved}", width, "")
    if total.failed:
        yield (Cell(f"{total.failed} failed", "bad"),)


def rows_of(view: CostsView, group: str) -> tuple[CostView, ...]:
    """The sums by one thing."""
    return {
        "job": view.jobs, "model": view.models, "stage": view.stages, "item": view.items, "purpose": view.purposes,
        "day": view.days,
    }[group]  # fmt: skip


def is_of(call: CallView, group: str, name: str) -> bool:
    """Whether a request is one of those that a sum by one thing is made of."""
    if group == "day":
        return datetime.fromtimestamp(call.ended_at / 1000).astimezone().date().isoformat() == name
    return name == {
        "job": call.job, "model": call.model, "stage": f"{call.job}.{call.stage}", "item": f"{call.job}/{call.key}",
        "purpose": call.purpose,
    }[group]  # fmt: skip


def call_lines(calls: Sequence[CallView], now: int) -> list[Line]:
    """One line for each request, the newest first: when, what it cost and took, who asked, what, and how it ended."""
    lines: list[Line] = []
    for call in calls:
        cost = f"{money(call.usd_micros)}{'?' if call.is_estimate else ''}"
        who = " ".join(part for part in (call.job, call.key) if part)
        mark = Cell("+ ", "ok") if call.state == "settled" else Cell("x ", "bad")
        when = f"{fit(moment(call.ended_at, now), 12)} {fit(cost, 9, 'right')} {fit(duration(call.ms), 6, 'right')}"
        lines.append((mark, Cell(f"{when}  "), cell(f"{who}  {call.purpose}  {call.model}")))
        if call.state != "settled":
            lines.append((Cell("    "), cell(f"{call.state}: {call.error or 'no reason given'}", "bad")))
    return lines or [(Cell("No request to a model is noted: what it cost, its stages have reported.", "muted"),)]


def _budget(budget: BudgetView, now: int, width: int) -> Iterator[Line]:
    """How far a daily limit is used up; when it begins anew stands below where there is no room beside."""
    used = budget.spent_usd_micros + budget.reserved_usd_micros
    share = min(1.0, used / budget.limit_usd_micros)
    role: Role = "bad" if share >= 1 else "wait" if share >= 0.8 else "ok"
    way = f" ({money(budget.reserved_usd_micros)} on its way)" if budget.reserved_usd_micros else ""
    parts = (
        _name(budget.name, 20 if width >= 90 else 13),
        Cell(" "),
        Cell(f"{money(budget.spent_usd_micros)} of {money(budget.limit_usd_micros)} ".ljust(18)),
        Cell(bar(used, budget.limit_usd_micros, _BAR), role),
    )
    more = Cell(f"{way}  anew {until(now, budget.resets_at)}", "muted")
    if width_of([*parts, more]) <= width:
        yield (*parts, more)
    else:
        yield fit_line(parts, width)
        yield fit_line([Cell("  "), Cell(more.text.strip(), "muted")], width)


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
