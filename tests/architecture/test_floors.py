"""An import goes down, never across and never up: read from the source."""

from __future__ import annotations

import pytest

from tests.architecture.source import Import, Module, imports, is_within, modules, none

FLOORS = {
    "engine.contracts": 0,
    "engine.rules": 1,
    "engine.kit": 1,
    "engine.store": 2,
    "engine.config": 2,
    "engine.work": 3,
    "engine.llm": 3,
    "engine.doctor": 3,
    "engine.services": 3,
    "engine.runtime": 4,
    "engine.dry_run": 4,
    "engine.rest": 4,
    "engine.facade": 5,
    "engine.remote": 5,
    "engine.serve": 6,
}
TUI_MAY = ("engine.contracts", "engine.kit.safe_text", "engine.kit.clock", "engine.rules.filters")
MEETING_PLACE = ("rivus_tui.cli", "rivus_tui.__main__")
"""The only place where front end and engine meet."""
DEFERRED_MAY = (
    *MEETING_PLACE,
    "engine.kit.http",
    "engine.config.resolve",
    "engine.llm.backend_litellm",
    "engine.doctor.apprise_notifier",
    "engine.kit.shapes",
    *("engine.store.reader", "rivus_tui.app"),  # the first paint waits for neither
    *("engine.doctor.doctor", "engine.doctor.runs"),  # what reads failures, once there is one
    *("engine.facade", "engine.services.orders"),  # commands, once a person gives one
    *("engine.llm.backends", "engine.llm.door", "engine.llm.models"),  # backends, juries, reviews
    *("engine.services.code_changes", "engine.work.attempts"),  # the question about a change, and the canary
    "engine.config.load",  # pydantic and YAML, for a file that nobody has checked yet
    "engine.config.sources",  # importlib.metadata, for a stage that names packages
)
NEVER_AT_START = ("litellm", "feedparser", "apprise")
ONLY_IN = {
    "textual": ("rivus_tui",),
    "rich": ("rivus_tui",),
    "aiosqlite": ("engine.store",),
    "yaml": ("engine.config", "plugins", "rivus_tui.cli"),
    "pydantic": ("engine.config", "engine.kit.shapes"),
    "litellm": ("engine.llm.backend_litellm",),
}
"""Libraries with one home."""


def floor_of(name: str) -> str | None:
    return next((floor for floor in FLOORS if is_within(name, floor)), None)


def wrong(module: Module, import_: Import) -> str | None:
    """Say what is wrong with one import, or nothing."""
    name = import_.name
    if is_within(module.name, "engine"):
        if is_within(name, "plugins", "rivus_tui"):
            return "the engine knows neither plugins nor the app"
        own, other = floor_of(module.name), floor_of(name)
        if other is None or own == other:
            return None
        if own is None:
            return "engine/__init__ stands on nothing"
        if FLOORS[other] >= FLOORS[own]:
            return f"goes {'up' if FLOORS[other] > FLOORS[own] else 'across'} from {own} to {other}"
    elif is_within(module.name, "plugins"):
        if is_within(name, "rivus_tui") or (
            is_within(name, "engine") and not is_within(name, "engine.contracts", "engine.kit")
        ):
            return "plugins stand on engine.contracts and engine.kit"
    elif not is_within(module.name, *MEETING_PLACE):
        if is_within(name, *MEETING_PLACE):
            return "the app knows nothing of the command line"
        if is_within(name, "plugins") or (is_within(name, "engine") and not is_within(name, *TUI_MAY)):
            return "the app stands on engine.contracts, safe_text, clock and the filter language"
        if is_within(module.name, "rivus_tui.widgets") and is_within(name, "rivus_tui.screens", "rivus_tui.app"):
            return "goes up from widgets"
        if is_within(module.name, "rivus_tui.screens") and is_within(name, "rivus_tui.app"):
            return "goes up from screens"
    return None


def found(*, deferred: bool | None = None) -> list[tuple[Module, Import]]:
    return [
        (module, import_)
        for module in modules()
        for import_ in imports(module)
        if deferred is None or import_.deferred == deferred
    ]


def told(module: Module, import_: Import, why: str) -> str:
    return f"{module.path}:{import_.line}: imports {import_.name}: {why}"


def test_imports_go_down() -> None:
    none([told(*pair, why) for pair in found() if (why := wrong(*pair))])


def test_engine_has_no_module_without_a_floor() -> None:
    lost = [module.path for module in modules() if is_within(module.name, "engine") and floor_of(module.name) is None]
    assert lost == ["engine/__init__.py"]


def test_contracts_and_rules_need_only_the_standard_library() -> None:
    foreign = [
        told(module, import_, "standard library only")
        for module, import_ in found()
        if is_within(module.name, "engine.contracts", "engine.rules")
        and import_.is_third_party
        and not (import_.top == "cronsim" and is_within(module.name, "engine.rules"))
    ]
    none(foreign)


def test_libraries_stay_in_their_home() -> None:
    strays = [
        told(module, import_, f"belongs to {', '.join(ONLY_IN[import_.top])}")
        for module, import_ in found()
        if import_.top in ONLY_IN and not is_within(module.name, *ONLY_IN[import_.top])
    ]
    none(strays)


def test_heavy_libraries_are_never_imported_at_start() -> None:
    none(told(*pair, "import it where it is used") for pair in found(deferred=False) if pair[1].top in NEVER_AT_START)


def test_deferred_imports_stand_in_a_short_list() -> None:
    strays = [
        told(module, import_, "write it at the top")
        for module, import_ in found(deferred=True)
        if not is_within(module.name, *DEFERRED_MAY) and import_.top not in NEVER_AT_START
    ]
    none(strays)


def test_nothing_imports_the_entry_point() -> None:
    none([told(*pair, "is the top floor") for pair in found() if is_within(pair[1].name, "rivus_tui.__main__")])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("engine.rules.dag", "engine.kit.clock"),
        ("engine.store.writer", "engine.config.load"),
        ("engine.contracts.spec", "engine.rules.dag"),
        ("engine.config.load", "plugins.todos"),
        ("engine.work.pool", "engine.services.leases"),
        ("plugins.todos.scan", "engine.store.items"),
        ("rivus_tui.app", "engine.facade"),
        ("rivus_tui.widgets.footer", "rivus_tui.screens.room"),
        ("rivus_tui.screens.room", "rivus_tui.cli"),
    ],
)
def test_wrong_way_is_seen(source: str, target: str) -> None:
    module = Module(name=source, path="", text="", tree=modules()[0].tree)
    assert wrong(module, Import(name=target, line=1, deferred=False))
