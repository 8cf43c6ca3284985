"""Turn what the models refuse into sentences that say what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from engine.config.document import KeyPath
from engine.config.model import HOST_PATTERN, PROXY_PATTERN, ProjectKeys
from engine.config.models import ENV_PATTERN, LANE_PATTERN, PROVIDER_PATTERN, URL_PATTERN
from engine.config.nearest import did_you_mean
from engine.config.values import DOTTED_PATTERN, NAME_PATTERN
from engine.kit.safe_text import safe_line

_NEEDS: Final[Mapping[str, str]] = {
    "int_type": "needs a whole number, such as 4",
    "bool_type": "needs true or false",
    "string_type": "needs text",
    "list_type": "needs a list",
    "dict_type": "needs keys with values below it",
    "model_type": "needs keys with values below it",
}
_PATTERNS: Final[Mapping[str, str]] = {
    NAME_PATTERN: "a name starts with a-z or 0-9 and goes on with a-z, 0-9, `-` and `_`",
    DOTTED_PATTERN: "needs a dotted name, such as `plugins.todos.scan`",
    LANE_PATTERN: "needs a backend and its model, such as `openai/gpt-5-mini`",
    URL_PATTERN: "needs an address without `?` and `#`, such as `http://localhost:11434/v1`",
    PROVIDER_PATTERN: "needs the name of a provider as litellm writes it, such as `openai` or `hosted_vllm`",
    HOST_PATTERN: "needs a host, such as `localhost:8080`",
    PROXY_PATTERN: "needs a proxy, such as `http://proxy:3128`",
}
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
}
_DURATIONS: Final = frozenset({"grace", "every", "timeout", "backoff", "backoff_max", "later_for", "keep"})


def key_path(loc: tuple[str | int, ...]) -> KeyPath:
    """Return the path in the file of an error's location."""
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def sentence(error: Mapping[str, Any]) -> str:
    """Say what is wrong; `error` is one of `ValidationError.errors()`."""
    kind, loc, value, context = error["type"], error["loc"], error.get("input"), error.get("ctx") or {}
    if kind in _NEEDS:
        return f"{_NEEDS[kind]}{_instead(value)}"
    if kind in _BOUNDS:
        word, bound = _BOUNDS[kind]
        return f"must be {word} {context[bound]:g}{' s' if loc[-1] in _DURATIONS else ''}"
    match kind:
        case "extra_forbidden":
            return _unknown_key(loc)
        case "missing":
            return "is missing"
        case "too_short":
            return "needs at least one entry"
        case "string_too_long":
            return f"is longer than {context['max_length']} characters"
        case "value_error":  # raised in engine.config.model, and a sentence already
            return f"{context['error']}{_instead(value)}"
        case "string_pattern_mismatch" if context["pattern"] == ENV_PATTERN:
            # What stands there instead may be the key.
            return (
                "needs the name of a variable, such as `OPENAI_API_KEY`, that holds the key, and never the key itself"
            )
        case "string_pattern_mismatch":
            return f"{_PATTERNS[context['pattern']]}{_instead(value)}"
        case "literal_error" if loc == ("version",):
            return f"this Rivus reads version 1 of this format{_instead(value)}"
        case "literal_error":
            words = re.findall("'([^']*)'", context["expected"])
            near = did_you_mean(value, words) if isinstance(value, str) else ""
            return f"must be {' or '.join(f'`{word}`' for word in words)}{_instead(value)}{near}"
    return safe_line(str(error["msg"]), 300)


def _instead(value: object) -> str:
    """Name the value that stands there."""
    if value is None:
        return "; nothing stands here"
    if isinstance(value, dict):
        return "; these are keys with values"
    if isinstance(value, list):
        return "; this is a list"
    if isinstance(value, bool):
        return f", not `{str(value).lower()}`"
    quote = "'" if isinstance(value, str) and value[:1].isdigit() else ""
    return f", not `{quote}{safe_line(str(value), 60)}{quote}`"


def _unknown_key(loc: tuple[str | int, ...]) -> str:
    model, key = _model_at(loc[:-1]), str(loc[-1])
    keys = [field.alias or name for name, field in model.model_fields.items()]
    for name, field in model.model_fields.items():
        if any(
            key in (inner.alias or at for at, inner in one.model_fields.items()) for one in _below(field.annotation)
        ):
            return f"is not a key here; it stands below `{field.alias or name}`"
    near = did_you_mean(key, keys)
    return f"is not a key here{near}" if near else f"is not a key here; the keys are {', '.join(keys)}"


def _model_at(loc: tuple[str | int, ...]) -> type[BaseModel]:
    """The model whose keys stand at a place; the outermost one when the place leads to none."""
    found: type[BaseModel] = ProjectKeys
    kind: Any = ProjectKeys
    for part in loc:
        kind = _inside(kind, part)
        if models := _models(kind):
            found = models[0]
    return found


def _inside(kind: Any, part: str | int) -> Any:
    """The type of what stands under a key, or at a place of a list."""
    for model in _models(kind):
        for name, field in model.model_fields.items():
            if part == (field.alias or name):
                return field.annotation
    for one in _alternatives(kind):
        if get_origin(one) in (dict, list):
            return get_args(one)[-1]
    return None


def _below(kind: Any) -> list[type[BaseModel]]:
    """The models of what stands under a key: of itself, of its entries, and of theirs."""
    found = _models(kind)
    for one in _alternatives(kind):
        if get_origin(one) in (dict, list):
            found += _below(get_args(one)[-1])
    return found


def _models(kind: Any) -> list[type[BaseModel]]:
    return [one for one in _alternatives(kind) if isinstance(one, type) and issubclass(one, BaseModel)]


def _alternatives(kind: Any) -> list[Any]:
    """A type without its annotations; each member of a union."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [one for part in get_args(kind) for one in _alternatives(part)]
    return [kind]
