"""Dataclasses that cost little until the first value of them is made.

The standard library writes and compiles up to six functions for each dataclass when its module is imported. A start of
Rivus declares some 250 and makes values of a quarter of them; that was two fifths of all that had to be done until the
first handler ran. Here a declaration reads the fields and makes the slots, which the standard library does without
compiling anything. `__init__` is the standard library's own, made when it is called for the first time; what compares,
hashes and prints is the same function for all.

To the type checker this is `dataclasses.dataclass`, and `field`, `fields`, `replace`, `asdict` and `match` work as they
do there. Only the signature that `inspect` sees is not right before the first value.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, **options):
        """Like `dataclasses.dataclass`, with its options frozen, eq, slots and kw_only."""
        return _declared(cls, **options) if cls is not None else lambda cls: _declared(cls, **options)


def _declared(
    cls: type, *, frozen: bool = False, eq: bool = True, slots: bool = False, kw_only: bool = False
) -> type[Any]:
    made: type[Any] = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
    methods: dict[str, Any] = {"__init__": _first_init(made, frozen=frozen), "__repr__": _repr}
    if frozen:
        methods |= _FROZEN
    if eq:
        methods["__eq__"] = _eq
        methods["__hash__"] = _hash if frozen else None
    for name, method in methods.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    return made


def _first_init(cls: type[Any], *, frozen: bool) -> Callable[..., None]:
    """An `__init__` that puts the real one in its place. Threads that come at once do it once each, to the same end."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        cls.__init__ = init = _init(cls, frozen=frozen)
        init(self, *args, **kwargs)

    return __init__


def _init(cls: type[Any], *, frozen: bool) -> Callable[..., None]:
    """The standard library's `__init__` for these fields, taken from a class made for it."""
    namespace: dict[str, Any] = {"__doc__": "Lends its `__init__`."}  # without one, a signature is written for it
    if hasattr(cls, "__post_init__"):
        namespace["__post_init__"] = cls.__post_init__
    fields: list[tuple[str, Any, Any]] = [(field.name, field.type, field) for field in dataclasses.fields(cls)]
    twin = dataclasses.make_dataclass(
        cls.__name__, fields, namespace=namespace, frozen=frozen, eq=False, repr=False, match_args=False
    )
    init: Callable[..., None] = twin.__dict__["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"  # what an error about arguments begins with
    return init


def _getter(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda value: ()


@cache
def _compared(cls: type[Any]) -> Callable[[Any], Any]:
    return _getter([field.name for field in dataclasses.fields(cls) if field.compare])


@cache
def _hashed(cls: type[Any]) -> Callable[[Any], Any]:
    return _getter(
        [field.name for field in dataclasses.fields(cls) if (field.compare if field.hash is None else field.hash)]
    )


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    get = _compared(self.__class__)
    return get(self) == get(other)


def _hash(self: Any) -> int:
    return hash(_hashed(self.__class__)(self))


@recursive_repr()
def _repr(self: Any) -> str:
    told = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({', '.join(told)})"


def _refuse_set(self: Any, name: str, value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


_FROZEN: Final[dict[str, Any]] = {
    "__setattr__": _refuse_set,
    "__delattr__": _refuse_delete,
    # What `copy` and `pickle` use, which would be refused too.
    "__getstate__": _state,
    "__setstate__": _set_state,
}
