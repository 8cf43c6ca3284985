"""From valid keys to backends and aliases: names looked up, providers known, limits put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final

from engine.config.document import KeyPath
from engine.config.nearest import did_you_mean
from engine.config.problems import Problems
from engine.config.resolve import Resolver, Unresolved
from engine.contracts.llm import Price
from engine.contracts.models import LITELLM_PARAMS, BackendSpec, ModelSpec, ModeSpec
from engine.contracts.rate import Rate

if TYPE_CHECKING:
    from engine.config.models import BackendKeys, ModelKeys, PriceKeys

KNOWN: Final[Mapping[str, str | None]] = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "groq": "GROQ_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "xai": "XAI_API_KEY",
    "together_ai": "TOGETHERAI_API_KEY",
    "fireworks_ai": "FIREWORKS_AI_API_KEY",
    "cerebras": "CEREBRAS_API_KEY",
    "perplexity": "PERPLEXITYAI_API_KEY",
    "cohere": "COHERE_API_KEY",
    "scripted": None,
    "ollama": None,
}
"""Backends that need no entry under `backends`, with the variable that holds their key."""

_FREE: Final = Price(in_per_million=0, out_per_million=0)
MakeRate = Callable[[tuple[float, float] | None, int | None, KeyPath, Problems], Rate | None]


def build_backends(
    keys: Mapping[str, BackendKeys],
    models: Mapping[str, ModelKeys],
    problems: Problems,
    resolver: Resolver,
    resources: Collection[str],
    rate: MakeRate,
) -> tuple[BackendSpec, ...]:
    """The backends as written, and those that an alias names and that need no entry."""
    built = {name: _backend(name, backend, problems, resolver, resources, rate) for name, backend in keys.items()}
    for model in models.values():
        for lane in model.models:
            name = lane.partition("/")[0]
            if name not in built and name in KNOWN:
                use = "scripted" if name == "scripted" else "litellm"
                built[name] = BackendSpec(
                    name=name, use=use, key_env=KNOWN[name], price=_FREE if KNOWN[name] is None else None
                )
    return tuple(built.values())


def _backend(
    name: str,
    keys: BackendKeys,
    problems: Problems,
    resolver: Resolver,
    resources: Collection[str],
    rate: MakeRate,
) -> BackendSpec:
    path: KeyPath = ("backends", name)
    for resource in keys.resource:
        if resource not in resources:
            near = did_you_mean(resource, resources)
            problems.add_new((*path, "resource"), f"there is no resource `{resource}` under `resources`{near}")
    if keys.key_env and keys.key_cmd:
        problems.add_new((*path, "key_cmd"), "stands in place of `key_env`; keep one of them")
    for param in keys.params if keys.use == "litellm" else ():
        if param not in LITELLM_PARAMS:
            near = did_you_mean(param, LITELLM_PARAMS) or f"; there are: {', '.join(LITELLM_PARAMS)}"
            problems.add_new((*path, "params", param), f"litellm is told nothing called `{param}`{near}")
    if keys.use not in ("litellm", "scripted"):
        try:
            resolver.tool(keys.use)
        except Unresolved as error:
            problems.add_new((*path, "use"), str(error))
    return BackendSpec(
        name=name,
        use=keys.use,
        provider=keys.provider or ("openai" if keys.base_url else None),
        base_url=keys.base_url,
        key_env=keys.key_env or (None if keys.base_url or keys.key_cmd else KNOWN.get(name)),
        key_cmd=tuple(keys.key_cmd),
        concurrency=keys.concurrency,
        per_day=keys.per_day,
        pace=rate(keys.pace, keys.burst, path, problems),
        resources=tuple(dict.fromkeys(keys.resource)),
        keep_place=keys.keep_place,
        modes={
            mode: ModeSpec(
                name=mode,
                per_day=limits.per_day,
                concurrency=limits.concurrency,
                pace=rate(limits.pace, limits.burst, (*path, "modes", mode), problems),
                price=_price(limits.price),
            )
            for mode, limits in keys.modes.items()
        },
        price=_price(keys.price) or (_FREE if keys.use == "scripted" else None),
        params=keys.params,
    )


def _price(keys: PriceKeys | None) -> Price | None:
    return None if keys is None else Price(in_per_million=keys.input, out_per_million=keys.output)


def build_models(keys: Mapping[str, ModelKeys], backends: Collection[str], problems: Problems) -> tuple[ModelSpec, ...]:
    """The aliases in the order written."""
    return tuple(_model(name, model, keys, backends, problems) for name, model in keys.items())


def _model(
    name: str, keys: ModelKeys, models: Mapping[str, ModelKeys], backends: Collection[str], problems: Problems
) -> ModelSpec:
    path: KeyPath = ("models", name)
    lanes = []
    for lane in dict.fromkeys(keys.models):
        backend, _, mode = lane.partition("/")
        lanes.append((backend, mode))
        if backend not in backends:
            near = did_you_mean(backend, (*backends, *KNOWN)) or "; name it under `backends`"
            problems.add_new(path, f"`{lane}`: there is no backend `{backend}`{near}")
    seen, longer = {name}, keys.longer
    while longer is not None:
        if longer not in models:
            problems.add_new((*path, "longer"), f"there is no model `{longer}`{did_you_mean(longer, models)}")
            break
        if longer in seen:
            problems.add_new((*path, "longer"), "comes back to a model that was too short already")
            break
        seen.add(longer)
        longer = models[longer].longer
    return ModelSpec(
        name=name,
        lanes=tuple(lanes),
        per_day=keys.per_day,
        timeout_s=keys.timeout,
        max_tokens=keys.max_tokens,
        max_cost_usd_micros=keys.max_cost,
        longer=keys.longer,
        cache_s=keys.cache,
    )
