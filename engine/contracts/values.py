"""Dataclasses that cost little until the first value of them is made.

The standard library writes and compiles up to six functions for each dataclass when its module is imported. A start of
Rivus declares some 250 and makes values of a quarter of them, mostly a few; that was two fifths of all that had to be
done until the first handler ran. Here a declaration reads the names of the fields and makes the slots. The fields of
the first values are set one by one; the standard library's `__init__` is made when there are more, and its fields are
read when somebody asks for them. What compares, hashes and prints is the same function for all.

To the type checker this is `dataclasses.dataclass`, and `field`, `fields`, `replace`, `asdict` and `match` work as they
do there. Only the signature that `inspect` sees is not right before there are some values.
"""

from __future__ import annotations

import dataclasses
import inspect
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final

__all__ = ["dataclass"]

_SET_ONE_BY_ONE: Final = 8
"""So many values of a class cost less than to have its `__init__` compiled."""

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
    methods: dict[str, Any] = {"__repr__": _repr}
    if frozen:
        methods |= _FROZEN
    if eq:
        methods["__eq__"] = _eq
        methods["__hash__"] = _hash if frozen else None
    if (names := _plain_fields(cls)) is None:
        made: type[Any] = _read_at_once(cls, slots=slots, kw_only=kw_only)
        methods["__init__"] = _first_init(lambda: _inherited(made, frozen=frozen))
        for name, method in methods.items():
            if name not in cls.__dict__:
                setattr(made, name, method)
        return made
    late = _Late(cls, names, frozen=frozen, kw_only=kw_only)
    namespace = {
        **methods,
        "__init__": late.init(),
        "__match_args__": () if kw_only else names,
        **_REPLACE,
        **cls.__dict__,
        "__dataclass_fields__": late,
    }
    if slots:
        for name in ("__dict__", "__weakref__", *names):
            namespace.pop(name, None)
        namespace["__slots__"] = names
        late.cls = type(cls.__name__, (), namespace)
        late.cls.__qualname__ = cls.__qualname__
        return late.cls
    for name, value in namespace.items():
        if name in names and isinstance(value, dataclasses.Field):
            if value.default is dataclasses.MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, value.default)
        elif name not in cls.__dict__:
            setattr(cls, name, value)
    return cls


def _plain_fields(cls: type) -> tuple[str, ...] | None:
    """Names of the fields of a class that has no other base, and nothing but fields among its annotations."""
    told = inspect.get_annotations(cls)
    if not told or cls.__bases__ != (object,):
        return None
    for name, text in told.items():
        given = cls.__dict__.get(name)
        if type(text) is not str or "ClassVar" in text or "InitVar" in text or "KW_ONLY" in text:
            return None
        if isinstance(given, dataclasses.Field) and not (given.init and given.kw_only is dataclasses.MISSING):
            return None
    return tuple(told)


def _read_at_once(cls: type, **options: bool) -> type[Any]:
    """What the standard library makes of a class, but for the methods that are made here."""
    return dataclasses.dataclass(init=False, repr=False, eq=False, **options)(cls)


def _first_init(make: Callable[[], Callable[..., None]]) -> Callable[..., None]:
    """An `__init__` that lets the real one be made. Threads that come at once do it once each, to the same end."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        make()(self, *args, **kwargs)

    return __init__


class _Late:
    """Stands for the fields of a class until somebody asks for them, and sets those of its first values."""

    def __init__(self, cls: type[Any], names: tuple[str, ...], *, frozen: bool, kw_only: bool) -> None:
        self.cls = cls
        self._names = names
        self._frozen = frozen
        self._kw_only = kw_only
        self._types = inspect.get_annotations(cls)
        self._given = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
        self._left = _SET_ONE_BY_ONE

    def init(self) -> Callable[..., None]:
        """An `__init__` for the first values; it makes the standard library's when more of them come, or for an error.

        Threads that come at once make it once each, to the same end.
        """

        def __init__(value: Any, /, *args: Any, **kwargs: Any) -> None:
            self._left -= 1
            if self._left < 0 or not self._set(value, args, kwargs):
                _lend(self._whole(), self.cls)(value, *args, **kwargs)

        return __init__

    def _set(self, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Set every field; False, with none set, where arguments do not fit: who does it whole says what is wrong."""
        if len(args) > (0 if self._kw_only else len(self._names)):
            return False
        found = dict(zip(self._names, args, strict=False))
        used = 0
        for name in self._names[len(args) :]:
            if name in kwargs:
                found[name] = kwargs[name]
                used += 1
                continue
            given = self._given.get(name, dataclasses.MISSING)
            if isinstance(given, dataclasses.Field):
                make = given.default_factory
                given = given.default if make is dataclasses.MISSING else make()
            if given is dataclasses.MISSING:
                return False
            found[name] = given
        if used < len(kwargs):
            return False
        for name, one in found.items():
            object.__setattr__(value, name, one)
        if hasattr(self.cls, "__post_init__"):
            value.__post_init__()
        return True

    def _whole(self) -> Callable[..., None]:
        """The standard library's `__init__`."""
        told: dict[str, Any] = {"__annotations__": self._types, "__module__": self.cls.__module__, "__doc__": "A twin."}
        if hasattr(self.cls, "__post_init__"):
            told["__post_init__"] = self.cls.__post_init__
        twin: type[Any] = dataclasses.dataclass(
            eq=False, repr=False, match_args=False, frozen=self._frozen, kw_only=self._kw_only
        )(type(self.cls.__name__, (), {**self._given, **told}))
        init: Callable[..., None] = twin.__dict__["__init__"]
        return init

    def __get__(self, value: Any, owner: type) -> dict[str, Any]:
        """The fields, as the standard library reads them."""
        # Without a docstring, a signature would be written for it.
        told = {"__annotations__": self._types, "__module__": self.cls.__module__, "__doc__": "A twin."}
        twin = _read_at_once(type(self.cls.__name__, (), {**self._given, **told}), kw_only=self._kw_only)
        for name in ("__dataclass_fields__", "__dataclass_params__"):
            setattr(self.cls, name, twin.__dict__[name])
        fields: dict[str, Any] = twin.__dict__["__dataclass_fields__"]
        return fields


def _inherited(cls: type[Any], *, frozen: bool) -> Callable[..., None]:
    """Give a class the standard library's `__init__` for its fields, taken from a class made for it."""
    namespace: dict[str, Any] = {"__doc__": "Lends its `__init__`."}  # without one, a signature is written for it
    if hasattr(cls, "__post_init__"):
        namespace["__post_init__"] = cls.__post_init__
    fields: list[tuple[str, Any, Any]] = [(field.name, field.type, field) for field in dataclasses.fields(cls)]
    twin = dataclasses.make_dataclass(
        cls.__name__, fields, namespace=namespace, frozen=frozen, eq=False, repr=False, match_args=False
    )
    return _lend(twin.__dict__["__init__"], cls)


def _lend(init: Callable[..., None], cls: type[Any]) -> Callable[..., None]:
    cls.__init__ = init
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


_REPLACE: Final[dict[str, Any]] = {
    name: getattr(dataclasses, known)
    for name, known in (("__replace__", "_replace"),)
    if hasattr(dataclasses, known)  # of `copy.replace`, from Python 3.13 on
}
_FROZEN: Final[dict[str, Any]] = {
    "__setattr__": _refuse_set,
    "__delattr__": _refuse_delete,
    # What `copy` and `pickle` use, which would be refused too.
    "__getstate__": _state,
    "__setstate__": _set_state,
}
