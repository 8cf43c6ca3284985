"""Keys as a person wants them: a mapping of action ids to keys over the registry's own. Pure.

Nothing is taken blindly: unknown actions and keys, keys that terminals keep for themselves, and two actions on one key
of a screen are refused one by one, and shown at the top of help.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from difflib import get_close_matches
from typing import Final

from engine.contracts.values import dataclass
from rivus_tui.actions.action import KEY_NAMES, Action, key_name
from rivus_tui.actions.registry import actions_of, every_action, kinds

EATEN: Final = frozenset(
    {"ctrl+a", "ctrl+b", "ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m", "ctrl+s", "ctrl+space", "ctrl+@", "ctrl+enter"}
    | {"shift+enter", "alt+enter", "ctrl+c", "ctrl+z"}
)
"""Keys that tmux, screen, terminals or flow control keep for themselves, or that arrive as another key."""

_WRITTEN: Final = {written.lower(): name for name, written in KEY_NAMES.items() if len(written) > 1}
_SIGNS: Final = {written: name for name, written in KEY_NAMES.items() if len(written) == 1}
_NAMED: Final = frozenset({*KEY_NAMES, "insert", "delete", *(f"f{number}" for number in range(1, 13))})


@dataclass(frozen=True, kw_only=True, slots=True)
class Keymap:
    """Keys that differ from the registry's."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By action id, as Textual names them."""
    problems: tuple[str, ...] = ()
    """What of the file was left out, and why."""

    def applied(self, action: Action) -> Action:
        """Return an action with the keys that it has here."""
        keys = self.keys.get(action.id)
        return action if keys is None else replace(action, keys=keys, footer_key="")


PLAIN: Final = Keymap()


def read(asked: Mapping[str, object]) -> Keymap:
    """Return the keys of a file's mapping; what cannot be used is left out and told."""
    known = {action.id: action for _, action in every_action()}
    keys: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    for action_id, value in asked.items():
        action = known.get(str(action_id))
        if action is None:
            near = get_close_matches(str(action_id), known, 1)
            hint = f", did you mean {near[0]}?" if near else "; `rivus keys` lists them"
            problems.append(f"{action_id}: there is no such action{hint}")
            continue
        wanted = value if isinstance(value, list) else [value]
        found = [_key(str(one)) for one in wanted]
        bad = [str(one) for one, key in zip(wanted, found, strict=True) if key is None]
        good = tuple(key for key in found if key is not None)
        problems += [f"{action_id}: {one} is not a key" for one in bad]
        if eaten := [key for key in good if key in EATEN]:
            problems.append(f"{action_id}: {eaten[0]} never arrives, terminals keep it")
        elif action.level >= 2 and any("ctrl+" in key for key in good):
            problems.append(f"{action_id}: not with ctrl, it is too easily pressed by mistake")
        elif good and not bad:
            keys[action.id] = good
    return _without_clashes(keys, problems)


def _without_clashes(keys: dict[str, tuple[str, ...]], problems: list[str]) -> Keymap:
    """Leave out, one by one, what would take the key of another action on the same screen."""
    while True:
        clash = next((found for kind in kinds() if (found := _clash(kind, keys)) is not None), None)
        if clash is None:
            return Keymap(keys=keys, problems=tuple(problems))
        action_id, other, key, kind = clash
        problems.append(f"{action_id}: {key_name(key)} is {other} on the screen {kind}; give that one another key too")
        del keys[action_id]


def _clash(kind: str, keys: Mapping[str, tuple[str, ...]]) -> tuple[str, str, str, str] | None:
    users: dict[str, str] = {}
    # The ones that were moved come last, so that they are the ones to give way.
    for action in sorted(actions_of(kind), key=lambda one: one.id in keys):
        for key in keys.get(action.id, action.keys):
            other = users.setdefault(key, action.id)
            if other != action.id:
                return action.id, other, key, kind
    return None


def _key(written: str) -> str | None:
    """Return a key as Textual names it; None for what is no key."""
    *modifiers, name = written.split("+") if len(written) > 1 else [written]
    modifiers = [modifier.lower() for modifier in modifiers]
    if not set(modifiers) <= {"ctrl", "alt", "shift"} or not name:
        return None
    if len(name) == 1:
        if not name.isprintable():
            return None
        key = _SIGNS.get(name, name)
    else:
        key = _WRITTEN.get(name.lower(), name.lower())
        if key not in _NAMED:
            return None
    return "+".join((*modifiers, key))
