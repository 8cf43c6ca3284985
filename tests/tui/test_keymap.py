"""A person's own keys: taken where they make sense, refused one by one and told where they do not."""

from __future__ import annotations

import pytest

from rivus_tui.keymap import Keymap, read
from tests.tui.story import open_room


def test_keys_are_written_as_help_shows_them() -> None:
    mine = read({"accept": "Z", "filter": ["/", "ctrl+f"], "freeze": "F2", "open": ["Enter", "Right"]})
    assert mine.keys == {"accept": ("Z",), "filter": ("slash", "ctrl+f"), "freeze": ("f2",)}
    assert mine.problems == ("open: Right is next_part on the screen jobs; give that one another key too",)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"acept": "Z"}, "acept: there is no such action, did you mean accept?"),
        ({"accept": "notakey+x"}, "accept: notakey+x is not a key"),
        ({"accept": "hyper"}, "accept: hyper is not a key"),
        ({"accept": "ctrl+b"}, "accept: ctrl+b never arrives, terminals keep it"),
        ({"cancel": "ctrl+x"}, "cancel: not with ctrl"),
        ({"accept": "x"}, "accept: x is"),
        ({"accept": "Z", "source": "Z"}, "Z is"),
    ],
)
def test_what_cannot_be_used_is_told_and_left_out(asked: dict[str, object], says: str) -> None:
    mine = read(asked)
    assert len(mine.problems) == 1
    assert says in mine.problems[0]
    assert len(mine.keys) < len(asked)


def test_two_actions_can_change_places() -> None:
    mine = read({"accept": "x", "drop": "a", "cancel": "a"})
    assert mine == Keymap(keys={"accept": ("x",), "drop": ("a",), "cancel": ("a",)})


async def test_own_keys_work_and_are_shown() -> None:
    async with open_room(None, "3", keymap=read({"accept": "Z", "nothing": "B"})) as story:
        assert "Z Accept" in story.text()
        await story.press("a")
        assert story.commands == []
        await story.press("Z")
        assert [name for name, _ in story.commands] == ["accept"]
        await story.press("question_mark")
        assert "keys.yaml: nothing: there is no such action" in story.text()
