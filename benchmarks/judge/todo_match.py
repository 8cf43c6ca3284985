"""Does an item keep its identity when its file is edited?

Files are made from `rewordings.json` (a task, the same said a little and quite differently) and edited by chance with a
fixed seed: items move, are reworded, ticked, doubled, split, merged and deleted, new ones appear, headings are renamed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.judge.judgement import Judgement
from plugins.todos.commands import spots
from plugins.todos.lines import scan_text
from plugins.todos.match import match

REWORDINGS: Final = Path(__file__).parent / "rewordings.json"
ROUNDS: Final = 400
_HEADINGS: Final = (
    ("Bugs", "Known bugs"),
    ("Features", "Ideas"),
    ("Later", "Backlog"),
    ("Interface", "User interface"),
)
_GENERIC: Final = ("Write tests", "Update the README")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One item of a made file; entries with the same `identity` are one item."""

    identity: int
    variants: tuple[str, ...]
    text: str
    section: int
    ticked: bool = False


def judgements() -> Iterator[Judgement]:
    """Yield how many surviving items kept their identity, and how many of the matches are right."""
    tasks: list[list[str]] = json.loads(REWORDINGS.read_text(encoding="utf-8"))
    kept = survivors = made = right = 0
    for seed in range(ROUNDS):
        outcome = trial(tasks, random.Random(seed))
        survivors += outcome[0]
        kept += outcome[1]
        made += outcome[2]
        right += outcome[3]
    yield Judgement(name="todo-match-kept", n=survivors, right=kept)
    yield Judgement(name="todo-match-right", n=made, right=right)


def trial(tasks: Sequence[Sequence[str]], chance: random.Random) -> tuple[int, int, int, int]:
    """Make a file, edit it, match both; return survivors, kept, matches, right matches."""
    chosen = chance.sample(range(len(tasks)), 28)
    fresh = iter(chosen[20:])
    old = [
        Entry(identity=number, variants=tuple(tasks[task]), text=tasks[task][0], section=number // 5)
        for number, task in enumerate(chosen[:20])
    ]
    for number, text in enumerate(_GENERIC):
        old.append(Entry(identity=100 + number, variants=(text,), text=text, section=0))
        old.append(Entry(identity=110 + number, variants=(text,), text=text, section=2))
    old.sort(key=lambda entry: entry.section)
    new, merged = edit(old, chance, lambda: tasks[next(fresh)])
    renamed = chance.randrange(len(_HEADINGS)) if chance.random() < 0.5 else None
    before, lines_before = write(old, None)
    after, lines_after = write(new, renamed)
    items_before, items_after = scan_text(before), scan_text(after)
    pairs = match(spots(items_before, file=""), spots(items_after, file="")).pairs
    partner = {
        lines_before[items_before[pair.old].line].identity: lines_after[items_after[pair.new].line].identity
        for pair in pairs
    }
    alive = {entry.identity for entry in new}
    allowed = {identity: {identity, merged.get(identity, identity)} for identity in (entry.identity for entry in old)}
    surviving = [entry.identity for entry in old if entry.identity in alive]
    return (
        len(surviving),
        sum(identity in (partner.get(identity), partner.get(merged.get(identity, -1))) for identity in surviving),
        len(pairs),
        sum(there in allowed.get(here, ()) for here, there in partner.items()),
    )


def edit(
    old: Sequence[Entry], chance: random.Random, fresh: Callable[[], Sequence[str]]
) -> tuple[list[Entry], dict[int, int]]:
    """Return the file after an afternoon's work, and which two identities were merged."""
    new: list[Entry] = []
    merged: dict[int, int] = {}
    for entry in old:
        dice = chance.random()
        if dice < 0.08:
            continue
        if dice < 0.18 and len(entry.variants) > 1:
            entry = replace(entry, text=entry.variants[1])
        elif dice < 0.25 and len(entry.variants) > 1:
            entry = replace(entry, text=entry.variants[2])
        elif dice < 0.37:
            entry = replace(entry, ticked=True)
        new.append(entry)
    for entry in chance.sample(new, 2):
        new.remove(entry)
        place = chance.randrange(len(new))
        new.insert(place, replace(entry, section=new[place].section))
    for _ in range(2):
        place = chance.randrange(len(new))
        task = fresh()
        new.insert(
            place, Entry(identity=200 + len(new), variants=tuple(task), text=task[0], section=new[place].section)
        )
    if chance.random() < 0.3:
        place = chance.randrange(len(new))
        task = fresh()
        first, second = new[place].text, task[0][0].lower() + task[0][1:]
        new[place] = replace(new[place], text=f"{first} and {second}")
    if chance.random() < 0.3:
        place = chance.randrange(len(new) - 1)
        one, two = new[place], new[place + 1]
        new[place : place + 2] = [replace(one, text=f"{one.text}; {two.text}")]
        merged[two.identity], merged[one.identity] = one.identity, two.identity
    return new, merged


def write(entries: Sequence[Entry], renamed: int | None) -> tuple[str, dict[int, Entry]]:
    """Return the file's text and the entry at each line."""
    out = ["# Tasks", ""]
    at: dict[int, Entry] = {}
    section = -1
    for entry in entries:
        if entry.section != section:
            section = entry.section
            out += ["", f"## {_HEADINGS[section][section == renamed]}", ""]
        out.append(f"- [{'x' if entry.ticked else ' '}] {entry.text}")
        at[len(out)] = entry
    return "\n".join(out) + "\n", at
