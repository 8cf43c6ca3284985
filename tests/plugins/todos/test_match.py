from __future__ import annotations

import random

import pytest

from benchmarks.judge import todo_match
from plugins.todos.alike import normalise
from plugins.todos.commands import spots
from plugins.todos.lines import scan_text
from plugins.todos.match import Matching, match
from plugins.todos.sides import Spot


def follow(old: str, new: str) -> tuple[dict[int, int], Matching]:
    """Old line to new line of each pair."""
    before, after = scan_text(old), scan_text(new)
    found = match(spots(before, file=""), spots(after, file=""))
    return {before[pair.old].line: after[pair.new].line for pair in found.pairs}, found


def tiers(found: Matching) -> list[str]:
    return [pair.tier for pair in found.pairs]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("- [ ] **Step 3: Add a theme**", "- [x] Add a theme"),
        ("- [ ] Paint the `gate`.", "- Paint the gate ✅"),
        ("1. [ ] 2.1 Dig", "- dig"),
        ("- [ ] Dig **[COMPLETE]**", "- [ ] Dig"),
    ],
)
def test_dress_does_not_count(one: str, other: str) -> None:
    assert normalise(one.split(" ", 1)[1]) == normalise(other.split(" ", 1)[1])


def test_moved_line_keeps_its_item() -> None:
    pairs, found = follow("- [ ] Dig\n- [ ] Plant\n", "- [ ] Fence\n- [ ] Dig\n- [ ] Plant\n")
    assert pairs == {1: 2, 2: 3}
    assert found.new == (0,)


def test_ticked_box_is_the_same_item() -> None:
    assert follow("- [ ] Dig\n- [ ] Plant\n", "- [x] Dig\n- [ ] Plant\n")[0] == {1: 1, 2: 2}


def test_renamed_heading_keeps_its_items() -> None:
    pairs, found = follow("# Yard\n- [ ] Dig\n- [ ] Plant\n", "# Garden\n- [ ] Dig\n- [ ] Plant\n")
    assert pairs == {2: 2, 3: 3}
    assert tiers(found) == ["3", "3"]


def test_same_text_at_two_places_is_two_items() -> None:
    old = "# Front\n- [ ] Write tests\n- [ ] Dig\n# Back\n- [ ] Write tests\n- [ ] Plant\n"
    new = "# Front\n- [ ] Dig\n# Back\n- [ ] Write tests\n- [ ] Plant\n"
    pairs, found = follow(old, new)
    assert pairs == {3: 2, 5: 4, 6: 5}
    assert len(found.gone) == 1


def test_triple_text_is_told_apart_by_its_neighbours() -> None:
    old = "- [ ] a one\n- [ ] same\n- [ ] b two\n- [ ] same\n- [ ] c three\n- [ ] same\n"
    new = "- [ ] a one\n- [ ] b two\n- [ ] same\n- [ ] c three\n- [ ] same\n"
    assert follow(old, new)[0] == {1: 1, 3: 2, 4: 3, 5: 4, 6: 5}


def test_reworded_item_in_its_place_is_the_same() -> None:
    old = "- [ ] Dig a pond\n- [ ] Investigate the leaking pump\n- [ ] Plant reeds\n"
    new = "- [ ] Dig a pond\n- [ ] Pump leaks at the valve, find out why\n- [ ] Plant reeds\n"
    pairs, found = follow(old, new)
    assert pairs == {1: 1, 2: 2, 3: 3}
    assert tiers(found) == ["1", "5", "1"]


def test_one_telling_word_in_place_of_another_makes_another_task_elsewhere_and_a_better_word_here() -> None:
    old = "- [ ] Dig\n- [ ] Add support for YAML\n- [ ] Plant\n- [ ] Mow\n- [ ] Weed\n"
    elsewhere = "- [ ] Dig\n- [ ] Plant\n- [ ] Mow\n- [ ] Add support for protobuf\n- [ ] Weed\n"
    assert follow(old, elsewhere)[0] == {1: 1, 3: 2, 4: 3, 5: 5}
    here = old.replace("YAML", "protobuf")
    assert follow(old, here)[0] == {line: line for line in range(1, 6)}
    assert follow(old, elsewhere.replace("for protobuf", "of YAML"))[0][2] == 4, "of is no other task"


def test_another_task_in_the_same_place_is_new() -> None:
    old = "- [ ] Dig a pond\n- [ ] Investigate the leaking pump\n- [ ] Plant reeds\n"
    new = "- [ ] Dig a pond\n- [ ] Order more gravel\n- [ ] Plant reeds\n"
    pairs, found = follow(old, new)
    assert pairs == {1: 1, 3: 3}
    assert (found.new, found.gone) == ((1,), (1,))


def test_one_word_of_a_short_text_makes_another_task() -> None:
    assert follow("- [ ] Horizontal slider\n", "- [ ] Vertical slider\n")[0] == {}


def test_another_number_makes_another_task() -> None:
    old = "- [ ] Support version 3 files\n- [ ] Dig\n- [ ] Plant\n"
    assert follow(old, "- [ ] Dig\n- [ ] Plant\n- [ ] Support version 4 files\n")[0] == {2: 1, 3: 2}


def test_split_item_lives_on_in_one_part() -> None:
    old = "- [ ] Dig a pond and plant the northern reeds\n- [ ] Mow\n"
    pairs, found = follow(old, "- [ ] Dig a pond\n- [ ] Plant the northern reeds\n- [ ] Mow\n")
    assert 1 in pairs
    assert len(found.new) == 1


def test_text_that_grew_much_longer_is_the_same_item() -> None:
    old = "- [ ] Mow\n- [ ] Paint the fence\n- [ ] Dig\n- [ ] Sow\n"
    longer = (
        "Paint the fence, twice, in the green of the doors, before the rain comes and the guests arrive in September"
    )
    pairs, found = follow(old, f"- [ ] Mow\n- [ ] Dig\n- [ ] {longer} from the coast\n- [ ] Sow\n- [ ] Rake\n")
    assert pairs == {1: 1, 2: 3, 3: 2, 4: 4}
    assert tiers(found)[2] == "7"


def test_item_that_vanished_here_and_appeared_there_moved() -> None:
    old = [Spot(file="TODO.md", line=1, text="Dig a pond"), Spot(file="TODO.md", line=2, text="Mow")]
    new = [Spot(file="TODO.md", line=1, text="Mow"), Spot(file="yard/TODO.md", line=4, text="Dig a pond")]
    assert [(pair.old, pair.new, pair.tier) for pair in match(old, new).pairs] == [(1, 0, "1"), (0, 1, "3b")]


def test_same_text_in_two_files_is_two_items() -> None:
    here = [Spot(file="a/TODO.md", line=1, text="Write tests"), Spot(file="b/TODO.md", line=1, text="Write tests")]
    assert [(pair.old, pair.new) for pair in match(here, here).pairs] == [(0, 0), (1, 1)]
    assert [(pair.old, pair.new) for pair in match(here, here[1:]).pairs] == [(1, 0)]


def test_renamed_file_keeps_its_items() -> None:
    old = [Spot(file="TODO.md", line=n, text=text) for n, text in enumerate(("Dig", "Mow", "Plant"))]
    new = [Spot(file="docs/TODO.md", line=n, text=text) for n, text in enumerate(("Dig", "Mow the lawn", "Plant"))]
    assert [(pair.old, pair.new) for pair in match(old, new).pairs] == [(0, 0), (1, 1), (2, 2)]


def test_matching_does_not_depend_on_the_order_given() -> None:
    text = "# A\n- [ ] Dig\n- [ ] Mow\n# B\n- [ ] Dig\n- [ ] Paint the fence\n"
    edited = "# A\n- [ ] Mow\n- [ ] Dig\n# B\n- [ ] Paint the long fence\n- [ ] Dig\n"
    old, new = spots(scan_text(text)), spots(scan_text(edited))
    straight = {(old[pair.old].line, new[pair.new].line) for pair in match(old, new).pairs}
    mixed_old, mixed_new = old[:], new[:]
    random.Random(7).shuffle(mixed_old)
    random.Random(8).shuffle(mixed_new)
    mixed = {(mixed_old[pair.old].line, mixed_new[pair.new].line) for pair in match(mixed_old, mixed_new).pairs}
    assert straight == mixed


def test_no_item_is_matched_twice() -> None:
    old = [Spot(file="T", line=n, text=f"Task {n % 7} of the week") for n in range(60)]
    new = [Spot(file="T", line=n, text=f"Task {n % 9} of the week") for n in range(50)]
    found = match(old, new)
    assert len({pair.old for pair in found.pairs}) == len(found.pairs) == len({pair.new for pair in found.pairs})
    assert len(found.pairs) + len(found.gone) == 60
    assert len(found.pairs) + len(found.new) == 50


def test_edited_files_keep_their_items() -> None:
    values = {judgement.name: judgement.right / judgement.n for judgement in todo_match.judgements()}
    assert values["todo-match-kept"] >= 0.97
    assert values["todo-match-right"] >= 0.995


@pytest.mark.parametrize("new", ["P1 Mend the upload", "**P0**: Mend the upload", "Mend the upload (P3)"])
def test_a_priority_that_comes_or_goes_leaves_the_task_what_it_is(new: str) -> None:
    assert normalise(new) == normalise("Mend the upload") == "mend the upload"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("修复登录页面崩溃", "登录页面崩溃的问题"),
        ("优化数据库查询速度", "优化查询数据库的速度"),
        ("編集画面のレイアウトを修正する", "編集画面レイアウト修正"),
        ("Internacionalización", "Internacionalización (i18n)"),
        ("Document the deployment", "Deployment docs"),
        ("async client", "asynchronous client"),
        ("Disaster recovery drill", "Practise disaster recovery"),
        ("Sauvegarde automatique toutes les cinq minutes", "Sauvegarder automatiquement toutes les 5 minutes"),
    ],
)
def test_a_rewording_in_another_place_and_section_is_the_same_item(old: str, new: str) -> None:
    rest = ["Dig a pond", "Paint the fence", "Sell the old tractor"]
    before = "# Yard\n" + "".join(f"- [ ] {text}\n" for text in (old, *rest))
    after = "# Garden and yard\n" + "".join(f"- [ ] {text}\n" for text in (*rest, "Feed the geese", new))
    assert follow(before, after)[0] == {2: 6, 3: 2, 4: 3, 5: 4}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Horizontal slider", "Vertical slider"),
        ("Release 1.2", "Release 1.3"),
        ("Menus!", "Use shortcuts from the `menus` data structure to set up hotkeys declaratively, without a variable"),
    ],
)
def test_what_is_put_in_place_of_another_task_is_new(old: str, new: str) -> None:
    rest = ["Dig a pond", "Paint the fence", "Sell the old tractor"]
    before = "# Yard\n" + "".join(f"- [ ] {text}\n" for text in (old, *rest, "Mow"))
    after = "# Yard\n" + "".join(f"- [ ] {text}\n" for text in (*rest, new, "Feed the geese"))
    found = follow(before, after)[0]
    assert 2 not in found


def test_words_tell_apart_what_shares_most_signs() -> None:
    old = "- [ ] 画像のアップロードに対応\n- [ ] テスト\n"
    new = "- [ ] 画像アップロード対応\n- [ ] 動画のアップロードに対応\n- [ ] テスト\n"
    assert follow(old, new)[0] == {1: 1, 2: 3}
