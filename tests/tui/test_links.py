"""Links to places: the same text for the command line, the palette and the clipboard."""

from __future__ import annotations

import pytest

from rivus_tui.app import RivusApp
from rivus_tui.links import Place, link_to, place_of
from tests.tui.rows import sample
from tests.tui.story import open_room


@pytest.mark.parametrize(
    "place",
    [
        Place(mode="jobs"),
        Place(mode="items", filter="state:failed err:'a b' !x&y=#?%", scope="internal"),
        Place(mode="items", item=("docs", "a/b c?&#%\u00e9\n")),
    ],
)
def test_link_leads_back_to_its_place(place: Place) -> None:
    assert place_of(link_to(place)) == place


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("https://items", "rivus://"),
        ("rivus://nowhere", "there is no screen"),
        ("rivus://item/docs", "JOB/KEY"),
        ("rivus://items?colour=red", "colour"),
        ("rivus://items?scope=mine", "scope"),
        ("", "rivus://"),
    ],
)
def test_what_is_no_link_is_refused(link: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        place_of(link)


async def test_room_opens_where_a_link_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_room(None, size=(100, 30)) as story:
        story.app.go_to(place_of("rivus://items?filter=state:failed"))
        await story.press()
        await story.press()
        assert "[2 Items]" in story.text()
        assert "/ state:failed" in story.text()
        story.app.go_to(place_of("rivus://item/docs/docs%2Fguide%2Finstall.md"))
        await story.press()
        await story.press()
        assert "KeyError: 'section'" in story.text()
    assert "place" in RivusApp.__init__.__annotations__


async def test_link_is_copied_and_goes_through_the_palette() -> None:
    async with open_room(sample(), "2", "slash", *"install", "enter", size=(100, 30)) as story:
        copies = dict(story.room.copies())
        assert copies["a link to it"] == "rivus://item/docs/docs%2Fguide%2Finstall.md"
        assert copies["a link to this list"] == "rivus://items?filter=install"
        await story.press("1", "ctrl+p", *"rivus://items?filter=cache")
        await story.press("enter")
        await story.press()
        assert "/ cache" in story.text()
