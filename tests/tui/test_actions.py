"""The registry of actions is the one truth of keys: for bindings, footer, help, palette and the command line."""

from __future__ import annotations

from collections import defaultdict

import pytest
from textual.events import Paste
from textual.keys import KEY_ALIASES, Keys, _character_to_key

from engine.contracts.commands import COMMANDS
from rivus_tui.actions.action import KEY_NAMES, Action, key_names
from rivus_tui.actions.registry import actions_of, every_action, footer_of, kinds
from rivus_tui.possible import Situation
from rivus_tui.rooms import screen_class, standing
from rivus_tui.screens.item import ItemScreen
from rivus_tui.screens.room import Room, bindings_of
from tests.tui.rows import item, job
from tests.tui.story import open_room

SCREENS: dict[str, type[Room]] = {room.mode: screen_class(room) for room in standing()} | {"item": ItemScreen}
ACTIONS = every_action()
NAMED = [pytest.param(kind, action, id=f"{kind}-{action.id}") for kind, action in ACTIONS]
EATEN = frozenset(
    {"ctrl+a", "ctrl+b", "ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m", "ctrl+s", "ctrl+space", "ctrl+@", "ctrl+enter"}
    | {"shift+enter", "alt+enter"}
)
"""Keys that tmux, screen, terminals or flow control keep for themselves, or that arrive as another key."""


@pytest.mark.parametrize("screen", kinds())
def test_no_key_does_two_things_on_one_screen(screen: str) -> None:
    users: dict[str, list[str]] = defaultdict(list)
    for action in actions_of(screen):
        for key in action.keys:
            users[key].append(action.id)
    assert {key: ids for key, ids in users.items() if len(ids) > 1} == {}


def test_one_letter_has_one_meaning_on_all_screens() -> None:
    meanings: dict[str, set[str]] = defaultdict(set)
    for _, action in ACTIONS:
        for key in action.keys:
            meanings[key].add(action.sense)
    assert {key: meaning for key, meaning in meanings.items() if len(meaning) > 1} == {}


STARTS = ("run", "undo", "apply", "probe", "clear-errors", "send")
"""What starts work: it can be stopped, not taken back."""


@pytest.mark.parametrize(("kind", "action"), NAMED)
def test_action_that_changes_something_names_command_and_command_line(kind: str, action: Action) -> None:
    assert bool(action.level) == bool(action.command)
    if action.command is not None:
        spec = COMMANDS[action.command]
        assert action.cli.startswith("rivus ")
        assert action.level >= spec.danger
        assert spec.undo or action.level >= 2 or action.command in STARTS


def test_no_key_is_one_that_terminals_eat() -> None:
    assert not EATEN & {key for _, action in ACTIONS for key in action.keys}


def test_no_dangerous_action_is_on_a_control_key() -> None:
    assert not [action.id for _, action in ACTIONS if action.level >= 2 and any("ctrl+" in key for key in action.keys)]


def test_every_key_is_one_that_textual_knows() -> None:
    known = {key.value for key in Keys} | set(KEY_ALIASES)
    for _, action in ACTIONS:
        for key in action.keys:
            assert len(key) == 1 or key in known or key in {_character_to_key(sign) for sign in "/,.+-=?![]: "}, key


@pytest.mark.parametrize("screen", kinds())
def test_every_action_has_its_method(screen: str) -> None:
    doing = [action for action in actions_of(screen) if action.goes_to is None]
    missing = [action.id for action in doing if not hasattr(SCREENS[screen], f"do_{action.id}")]
    assert missing == []


@pytest.mark.parametrize("screen", kinds())
def test_bindings_are_the_registry(screen: str) -> None:
    assert screen == SCREENS[screen].KIND
    assert len(bindings_of(screen)) == sum(len(action.keys) for action in actions_of(screen))


@pytest.mark.parametrize("screen", kinds())
def test_footer_ends_with_help(screen: str) -> None:
    assert footer_of(screen)[-1].id == "help"


def test_keys_are_written_for_people() -> None:
    assert key_names(("left_square_bracket", "h", "question_mark")) == "[ h ?"
    assert not [name for _, action in ACTIONS for key in action.keys if "_" in (name := KEY_NAMES.get(key, key))]


@pytest.mark.parametrize(("kind", "action"), NAMED)
def test_reason_is_a_sentence_or_nothing(kind: str, action: Action) -> None:
    empty = Situation(screen=kind, read_only="read-only")
    full = Situation(
        screen=kind,
        job=job("docs"),
        items=(item(1, "x", "failed"), item(2, "y", "waiting")),
        cursor=item(1, "x", "failed"),
        rows=2,
        proposed=1,
        waits=True,
        copyable="k",
    )
    assert action.reason(full) == ""
    if action.level:
        assert action.reason(empty) == "read-only"


async def test_help_is_searched_and_runs_what_it_finds() -> None:
    async with open_room(None, "3", "question_mark", size=(100, 30)) as story:
        assert "Help: triage" in story.text()
        await story.press(*"won't")
        assert "same as  rivus items drop todos k0001" in story.text()
        await story.press("enter")
        assert story.commands == [("drop", {"job": "todos", "keys": ["k0001"]})]


async def test_help_says_why_a_key_does_nothing_now() -> None:
    async with open_room(None, "2", "question_mark", *"try the failed", size=(100, 30)) as story:
        assert "(now not: it has not failed)" in story.text()
        await story.press("escape")
        assert "Help:" not in story.text()


async def test_help_moves_with_arrows() -> None:
    async with open_room(None, "3", "question_mark", "down", "down", "enter", size=(100, 30)) as story:
        assert [name for name, _ in story.commands] == ["snooze"]


async def test_help_finds_what_only_other_screens_have() -> None:
    async with open_room(None, "question_mark", *"try the failed", size=(100, 30)) as story:
        assert "on the screen items" in story.text()


async def test_second_question_mark_closes_help() -> None:
    async with open_room(None, "question_mark") as story:
        assert "Help:" in story.text()
        await story.press("question_mark")
        assert "Help:" not in story.text()


async def test_palette_runs_actions_of_the_screen() -> None:
    async with open_room(None, "3", "ctrl+p", *"won't do", size=(100, 30)) as story:
        await story.press("enter")
        assert [name for name, _ in story.commands] == ["drop"]


async def test_disabled_key_says_why() -> None:
    async with open_room(None, "2", "slash", *"cache", "enter", "a", "x") as story:
        assert story.toasts == ["Accept: it waits for nobody", "Cancel: it is done already"]
        assert story.commands == []


async def test_numbers_and_backspace_go_about() -> None:
    async with open_room(None, "9", "2", "backspace") as story:
        assert "[9 Events]" in story.text()
        await story.press("backspace")
        assert "[2 Items]" in story.text()


async def test_copy_says_where_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    async with open_room(None, "j", "j", "y") as story:
        assert story.app.clipboard == "docs"
        assert story.toasts == ["sent 4 characters to the terminal; it may or may not put them on the clipboard"]


async def test_paste_outside_an_input_runs_nothing() -> None:
    async with open_room(None, "3") as story:
        story.app.post_message(Paste("axq"))
        await story.press()
        assert story.commands == []
        assert story.app.is_running


async def test_key_of_another_screen_says_that_it_does_nothing_here() -> None:
    async with open_room(None, "space") as story:
        assert story.toasts == ["Space: nothing on this screen; ? shows what there is"]
        await story.press("j", "2", "space", "Q")
        assert len(story.toasts) == 1


async def test_help_says_all_of_what_an_action_does() -> None:
    async with open_room(None, "4", "question_mark", *"replay what failed: three") as story:
        said = " ".join(line.split("│")[1].strip() for line in story.text().splitlines() if line.count("│") == 2)
        assert "with nothing planned, replay what failed: three first, then the rest   acts at once" in said
        assert "same as  rivus doctor apply ID" in said
