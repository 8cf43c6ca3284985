"""What running an item again from a stage means, in words: for the question on the screen and the command line."""

from __future__ import annotations

from collections.abc import Sequence

from engine.contracts.view import ItemDetail, ItemStageView
from rivus_tui.format import age, cell, money


def stages_again(detail: ItemDetail, stage: str) -> list[ItemStageView]:
    """Return a stage of an item and all that stands after it: what runs again with it."""
    again = {stage}
    for one in detail.stages:  # in the order of the job: whoever is after something comes later
        if again & set(one.after):
            again.add(one.stage)
    return [one for one in detail.stages if one.stage in again]


def why_not_again(detail: ItemDetail, stage: str) -> str:
    """Return why an item cannot run again from a stage; empty when it can."""
    found = next((one for one in detail.stages if one.stage == stage), None)
    if found is None:
        return f"it has no stage {stage}"
    return "" if found.state in ("done", "failed") else f"it is {found.state} at {stage}, not done"


def again_text(detail: ItemDetail, stage: str, now: int) -> list[str]:
    """Return what is reset, a paragraph each."""
    again = stages_again(detail, stage)
    made = [one for one in again if one.output is not None]
    text = [f"Runs again: {', '.join(cell(one.stage, limit=40).text for one in again)}."]
    text += [_made(made, now)] if made else []
    opened = [one.stage for one in again if one.gate is not None]
    if opened:
        text.append(f"Gates that were opened stay open: {', '.join(opened)}.")
    return [*text, "u takes it back until one of them has run."]


def _made(made: Sequence[ItemStageView], now: int) -> str:
    paid = sum(one.cost_usd_micros for one in made)
    results = ", ".join(f"{cell(one.stage, limit=40).text} ({age(now, one.ended_at)} old)" for one in made)
    said = f"Their results stay until they are replaced: {results}."
    return f"{said} They cost {money(paid)}." if paid else said
