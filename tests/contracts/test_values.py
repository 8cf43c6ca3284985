"""What `engine.contracts.values` declares behaves as a dataclass of the standard library does."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

import pytest

from engine.contracts import values

Decorator = Callable[..., Any]


def _declared(dataclass: Decorator, **options: bool) -> type[Any]:
    @dataclass(**options)
    class Point:
        """A place."""

        WORD: ClassVar[str] = "point"
        x: int
        y: int = 2
        seen: list[int] = field(default_factory=list, compare=False, repr=False)
        note: str | None = field(default=None, hash=False)

        @property
        def sum(self) -> int:
            return self.x + self.y

    return Point


def _declared_plainly(dataclass: Decorator, **options: bool) -> type[Any]:
    @dataclass(**options)
    class Point:
        """The same, with nothing but fields among its annotations: its fields are read late."""

        WORD = "point"
        x: int
        y: int = 2
        seen: list[int] = field(default_factory=list, compare=False, repr=False)
        note: str | None = field(default=None, hash=False)

        @property
        def sum(self) -> int:
            return self.x + self.y

    return Point


def _outcome(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except Exception as error:
        return type(error), str(error)


OPTIONS = [
    {},
    {"frozen": True},
    {"frozen": True, "slots": True},
    {"slots": True},
    {"kw_only": True, "slots": True},
    {"frozen": True, "kw_only": True, "slots": True},
    {"eq": False, "slots": True},
    {"frozen": True, "eq": False, "slots": True},
]


def _told(declared: Callable[..., type[Any]], dataclass: Decorator, options: dict[str, bool]) -> list[Any]:
    """Make, compare, print and change; return what each step gave or raised."""
    cls = declared(dataclass, **options)
    first, same, other = cls(x=1), cls(x=1), cls(x=1, y=3, note="n")
    return [
        _outcome(lambda: cls(1, 5).y),
        _outcome(lambda: cls(y=1)),
        _outcome(lambda: cls(x=1, z=1)),
        _outcome(lambda: setattr(first, "x", 9) or first.x),
        _outcome(lambda: setattr(first, "strange", 9)) is not None,
        (first == cls(x=9), same == cls(x=1), same == other, same != other, same == 1, cls.WORD, other.sum),
        _outcome(lambda: hash(same) == hash(cls(x=1))),
        _outcome(lambda: hash(same) == hash(other)),
        repr(other),
        dataclasses.asdict(other),
        dataclasses.replace(other, x=4).x,
        [known.name for known in dataclasses.fields(cls)],
        cls.__match_args__,
        hasattr(same, "__dict__"),
        repr([copy.copy(other), copy.deepcopy(other)]),
        _outcome(lambda: delattr(other, "x")),
        first.seen is not same.seen,
    ]


@pytest.mark.parametrize("declared", [_declared, _declared_plainly])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
def test_behaves_as_the_standard_library_does(options: dict[str, bool], declared: Callable[..., type[Any]]) -> None:
    assert _told(declared, values.dataclass, options) == _told(declared, dataclasses.dataclass, options)


@pytest.mark.parametrize("frozen", [True, False])
def test_fields_can_be_asked_for_before_there_is_a_value(frozen: bool) -> None:
    told = []
    for dataclass in (values.dataclass, dataclasses.dataclass):
        cls = _declared_plainly(dataclass, frozen=frozen, slots=True)
        known = [(one.name, one.type, one.default, one.compare, one.repr, one.hash) for one in dataclasses.fields(cls)]
        told.append((known, dataclasses.is_dataclass(cls), cls.__qualname__, cls.__doc__, cls.__module__))
    assert told[0] == told[1]


@pytest.mark.parametrize("dataclass", [dataclasses.dataclass, values.dataclass])
def test_a_subclass_has_the_fields_of_its_base_and_its_own(dataclass: Decorator) -> None:
    @dataclass(frozen=True, slots=True)
    class Base:
        """Has one."""

        a: int

    @dataclass(frozen=True, slots=True)
    class Child(Base):
        """Has two."""

        b: int = 2

    class Plain(Child):
        """Has the same two."""

    assert (Child(1), Child(a=1, b=2)) == (Child(1, 2), Child(1))
    assert Base(1) != Child(1)
    assert Plain(1) != Child(1)
    assert repr(Plain(1)).endswith("Plain(a=1, b=2)")


@pytest.mark.parametrize("dataclass", [dataclasses.dataclass, values.dataclass])
def test_own_methods_stand_and_post_init_is_called(dataclass: Decorator) -> None:
    @dataclass(frozen=True)
    class Own:
        """Says what it is by itself."""

        a: int

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError("below zero")

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "own"

    assert Own(1) == 5
    assert (hash(Own(1)), repr(Own(1))) == (7, "own")
    with pytest.raises(ValueError, match="below zero"):
        Own(-1)


def test_init_is_made_once_with_the_first_value() -> None:
    cls = _declared(values.dataclass, frozen=True, slots=True)
    declared = cls.__init__
    cls(1)
    made = cls.__init__
    cls(2)
    assert declared is not made
    assert cls.__init__ is made


def test_a_value_that_holds_itself_can_be_printed() -> None:
    @values.dataclass(slots=True)
    class Ring:
        """Holds another."""

        next: Any = None

    ring = Ring()
    ring.next = ring
    assert repr(ring).endswith("Ring(next=...)")
