"""Every key of every screen, pressed: it does what its action says, or says why it cannot; and every twin exists."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from textual import events
from textual.widgets import Input

from rivus_tui.actions.action import Action
from rivus_tui.actions.registry import actions_of, every_action, kinds
from rivus_tui.cli.main import rivus
from rivus_tui.rooms import actions_module
from rivus_tui.screens.item import ItemScreen
from rivus_tui.screens.list_room import ListRoom
from rivus_tui.screens.room import Room
from tests.tui.fakes import FakeEngine
from tests.tui.rows import NOW, Sample, attempt, event, item, sample
from tests.tui.stale_rows import with_stale
from tests.tui.story import Story, open_room
from tests.tui.witnesses import Seen, look, witness_of

SMALL = (76, 17)
ROWS = 60
"""Rows of the sample that are tried until one lets an action do something."""


def rows_for_keys(root: Path) -> Sample:
    """Return a project in which every action can be taken somewhere, and every list is longer than its screen."""
    rows = with_stale()
    failed = rows.details["docs", "docs/guide/install.md"]
    long = replace(attempt("outline", 1, "KeyError", "x"), traceback="\n".join(f"line {n}" for n in range(90)))
    rows.details["docs", "docs/guide/install.md"] = replace(
        failed,
        attempts=(*failed.attempts, long),
        events=tuple(event(number, f"event {number}") for number in range(60)),
        item=replace(failed.item, priority=2, data={f"field {number}": number for number in range(60)}),
    )
    for number in range(60, 100):
        view = item(
            number, f"one more thing to do, number {number}", "waiting", why="waits at gate accept", proposed="accept"
        )
        rows.details["todos", view.key] = replace(rows.details["todos", "k0001"], item=view)
    broken = item(50, "a step of it has failed, and a person is asked", "failed", priority=2)
    rows.details["todos", broken.key] = replace(rows.details["todos", "k0001"], item=broken)
    rows.jobs += [replace(rows.jobs[4], name=f"more-{number}") for number in range(30)]
    rows.jobs += [replace(rows.jobs[1], name=f"check-{number}") for number in range(30)]
    failed_here = f'  File "{root}/docs/guide/install.md", line 3, in read'
    rows.incidents = [replace(one, evidence={**one.evidence, "traceback_tail": failed_here}) for one in rows.incidents]
    rows.incidents += [replace(rows.incidents[0], id=number) for number in range(500, 540)]
    rows.limits[1] = replace(rows.limits[1], instead_of="2")
    rows.limits += [replace(rows.limits[0], name=f"limit {number}") for number in range(40)]
    rows.stale += [replace(rows.stale[2], stage=f"stage{number}") for number in range(40)]
    rows.events = [replace(one, id=number, at=NOW + number) for number, one in enumerate(rows.events * 4, start=1)]
    rows.events[-1] = replace(rows.events[-1], job="docs", key="docs/guide/install.md")
    return rows


async def settle(story: Story, rounds: int = 2) -> None:
    """Wait until everything that was begun has ended, and the screen is there whole."""
    for _ in range(rounds):
        await story.pilot._wait_for_screen()
        await story.app.workers.wait_for_complete()
    while story.app.is_running and not story.room.is_whole:
        await story.pilot._wait_for_screen()


async def press(story: Story, key: str, rounds: int = 2) -> None:
    """Press one key as a terminal sends it; Textual's own `press` waits a tenth of a second after each."""
    driver = story.app._driver
    assert driver is not None
    pressed = events.Key(key, key if len(key) == 1 else None)
    pressed.set_sender(story.app)
    driver.send_message(pressed)
    await settle(story, rounds)


async def said_to(story: Story, key: str) -> tuple[str, ...]:
    """Press a key, and return what toasts said to it."""
    before = look(story)
    await press(story, key)
    said = look(story).said(before)
    story.app.clear_notifications()
    return said


async def begin(story: Story, kind: str) -> Room:
    """Show a screen as if nothing had been done there yet, with Events as the screen before."""
    app = story.app
    while not isinstance(app.screen, Room) or (isinstance(app.screen, ItemScreen) and kind != "item"):
        await app.pop_screen()
    if kind != "item" and app.current_mode != kind:
        await app.switch_mode(kind)
    app._mode_before = "events" if kind != "events" else "jobs"
    if kind == "item" and not isinstance(app.screen, ItemScreen):
        await app.switch_mode("items")
        await app.push_screen(ItemScreen(story.room.desk, ("docs", "docs/guide/install.md"), "items"))
        await settle(story)
    room = story.room
    room._pane = 0
    room.desk.follow()
    if isinstance(room, ItemScreen):
        room._key, room._stage = ("docs", "docs/guide/install.md"), None
        room.read()
    if isinstance(room, ListRoom):
        room.table.move_end(first=True)
        was = (room.desk.scope, room.bar.value, room.reverse, room.bar.is_open)
        room.desk.scope, room.reverse = "all", False
        room.table.marks.clear()
        if was != ("all", "", False, False):
            room.bar.close()
            room.bar.set_value("")
            room.requery()
            await settle(story, 1)
    return room


def candidates(story: Story, room: Room) -> list[Any]:
    """Return where an action could be taken on a screen: its rows, or the items that it could be about."""
    if isinstance(room, ListRoom):
        return list(range(min(room.table.total, ROWS)))
    if isinstance(room, ItemScreen):
        return [("docs", "docs/guide/install.md"), *story.reader.sample.details]
    return [None]


async def possible(story: Story, room: Room, action: Action) -> str:
    """Stand where an action can be taken; returns why it can be taken nowhere, or an empty string."""
    reason = action.reason(room.situation())
    for where in candidates(story, room) if reason else ():
        if isinstance(room, ListRoom):
            room.table._go(where)
        elif isinstance(room, ItemScreen):
            room._key, room._stage = where, None
            room.read()
        await settle(story, 1)
        if not (reason := action.reason(room.situation())):
            break
    return reason


async def prepare(story: Story, room: Room, action: Action) -> None:
    """Do what an action needs to be seen: rows above and below, a filter to clear."""
    backward = action.id in ("up", "page_up", "half_up", "first")
    if backward:
        room.pane.move_end(first=False)
    elif action.id in ("down", "page_down", "half_down", "last"):
        room.pane.move_end(first=True)
    if isinstance(room, ItemScreen) and action.moves:
        room._part = "attempts"
        room._draw_all()
        if backward:
            room.panes()[1].move_end(first=False)
        else:
            room.panes()[1].move_end(first=True)
    if action.id == "merge":
        await press(story, "space")  # marks this one and goes on to the one that stays
    if action.id == "escape" and isinstance(room, ListRoom):
        room.bar.set_value("zzz")
        room.requery()
    await settle(story, 1)


QUESTIONS = ("Dialog", "Picking")
ANSWERS = ("y", "1", "t")
"""Keys that say yes to a question, pick the first of several, or a class."""


def pressed(kind: str) -> Iterator[Action]:
    """Return the actions whose keys are pressed on a screen: all, but of those that go to a screen only two.

    They are one deed of the frame around all screens, and the first look at a screen takes long: each is pressed on the
    screen before its own, and on its own.
    """
    order = kinds()
    near = (kind, order[(order.index(kind) + 1) % len(order)])
    yield from (action for action in actions_of(kind) if action.goes_to is None or action.goes_to in near)


def misbound(story: Story, action: Action) -> list[str]:
    """Return the keys of an action that lead to something else on the screen that is shown."""
    bound = story.app.screen.active_bindings
    right = f"do('{action.id}')"
    return [key for key in action.keys if key not in bound or bound[key].binding.action != right]


TYPED = {"amend": "note=later"}
"""What is typed where a deed asks for a text of a certain form."""


async def wrong_about(story: Story, kind: str, action: Action) -> str:
    """Press the key of an action where it can be taken; returns what is wrong about it, or an empty string.

    Its other keys are bound to the same deed.
    """
    room = await begin(story, kind)
    if reason := await possible(story, room, action):
        return f"nothing in the sample lets it: {reason}"
    await prepare(story, room, action)
    if keys := misbound(story, action):
        return f"{keys} are bound to something else"
    before = look(story)
    witness = witness_of(action)
    await press(story, action.keys[0], rounds=1 if action.command is None else 2)
    for _ in range(2):  # what, and until when
        if action.command is not None and look(story).stack[-1] in QUESTIONS:
            story.clock.advance(1)
            for answer in ANSWERS:
                if look(story).stack[-1] in QUESTIONS:
                    await press(story, answer)
    if action.command is not None and look(story).stack[-1] == "TextPrompt":
        story.app.screen.query_one(Input).value = TYPED.get(action.id, "x")
        await press(story, "enter")
    for _ in range(5):
        after: Seen = look(story)
        if witness(before, after):
            return ""
        await settle(story, 1)
    return f"nothing shows that it was done; said {after.said(before)}, gave {after.commands[len(before.commands) :]}"


@pytest.mark.parametrize("kind", kinds())
async def test_every_key_does_what_its_action_says(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "docs" / "guide" / "install.md"
    page.parent.mkdir(parents=True)
    page.touch()
    (tmp_path / "TODO.md").touch()
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VISUAL", "no-such-editor")
    async with open_room(rows_for_keys(tmp_path), engine=FakeEngine(running=1), size=SMALL, root=tmp_path) as story:
        await begin(story, kind)
        assert [keys for action in actions_of(kind) if (keys := misbound(story, action))] == []
        found = {action.id: await wrong_about(story, kind, action) for action in pressed(kind)}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


async def test_every_key_of_a_room_that_only_looks_says_why_it_does_nothing(tmp_path: Path) -> None:
    wrong: list[str] = []
    async with open_room(rows_for_keys(tmp_path), viewer=True, size=SMALL) as story:
        for kind in kinds():
            room = await begin(story, kind)
            for action in actions_of(kind):
                if action.level:
                    said = await said_to(story, action.keys[0])
                    if said != (f"{room.label(action)}: {room.desk.read_only}",):
                        wrong.append(f"{kind} {action.keys[0]} ({action.id}): {said}")
    assert story.commands == []
    assert wrong == []


async def test_every_key_of_an_empty_screen_says_why_or_does_no_harm() -> None:
    rows = sample()
    rows.jobs, rows.details, rows.events = [], {}, []
    rows.incidents, rows.limits, rows.coming, rows.runs = [], [], [], []
    wrong: list[str] = []
    async with open_room(rows, engine=FakeEngine(running=1), size=SMALL) as story:
        for kind, action in every_action():
            own: tuple[Action, ...] = actions_module(kind).ACTIONS
            room = await begin(story, kind) if kind != "item" else None
            if room is None or not ((reason := action.reason(room.situation())) or action in own):
                continue
            said = await said_to(story, action.keys[0])
            if reason and said != (f"{room.label(action)}: {reason}",):
                wrong.append(f"{kind} {action.keys[0]} ({action.id}): {said}, not {reason}")
        assert story.app.is_running
    assert {name for name, _ in story.commands} <= {"undo", "reload"}
    assert wrong == []


def test_every_action_has_a_witness() -> None:
    for _, action in every_action():
        assert callable(witness_of(action)), action.id


SAID = {
    "JOB": "docs", "KEY…": "k0001 k0002", "KEY": "k0001", "ID": "1", "CLASS": "item", "STAGE": "read", "NUMBER": "7",
    "FILTER": "state:failed", "KIND": "resource", "NAME": "disk", "VALUE": "3", "TITLE": "Milk",
}  # fmt: skip
"""What stands for the words in capitals of a command line."""


def twins() -> Iterator[tuple[str, Action]]:
    """Return each command line once, with an action that names it."""
    yield from {action.cli: action for _, action in every_action() if action.cli}.items()


@pytest.mark.parametrize(
    ("line", "action_id", "of_many"),
    [pytest.param(line, action.id, action.on_marks, id=action.id) for line, action in twins()],
)
def test_twin_on_the_command_line_exists_and_takes_these_words(line: str, action_id: str, of_many: bool) -> None:
    said = SAID if of_many else SAID | {"KEY…": "k0001"}
    words = " ".join(said.get(word, word) for word in line.split())
    program, *rest = shlex.split(words)
    assert program == "rivus", action_id
    context = click.Context(rivus, info_name="rivus")
    command: click.Command = rivus
    while isinstance(command, click.Group) and (not command.invoke_without_command or rest):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, line
        command = found
        context = click.Context(command, info_name=name, parent=context)
    command.make_context(command.name, rest, parent=context.parent)


def test_what_changes_something_has_a_twin_and_what_only_looks_may_have_one() -> None:
    assert [action.id for _, action in every_action() if action.level and not action.cli] == []
