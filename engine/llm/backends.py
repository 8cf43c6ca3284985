"""From what jobs.yaml says of backends to backends: made when they are first asked, with their key looked up then."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from engine.contracts.errors import NO_MODEL
from engine.contracts.llm import Answered, Backend, BackendFailure, BackendOptions, Price, Sent
from engine.contracts.models import BackendSpec, ModelSpec
from engine.contracts.spec import ProjectSpec
from engine.kit.secrets import Secrets
from engine.kit.tasks import beside

SWITCHED_OFF: Final = "RIVUS_NO_PROVIDERS"
"""With this variable set no provider is reached, only servers on this machine: tests cannot spend money."""

Factory = Callable[[BackendOptions], Backend]


class LateBackend:
    """Implements `Backend`; the real one is made when it is prepared, so that nothing is loaded before it is needed."""

    def __init__(self, spec: BackendSpec, secrets: Secrets, resolve: Callable[[str], Callable[..., Any]]) -> None:
        self._spec = spec
        self._secrets = secrets
        self._resolve = resolve
        self._inner: Backend | None = None
        self._making = asyncio.Lock()

    async def prepare(self) -> None:
        """Make the backend and get it ready; once."""
        async with self._making:
            if self._inner is None:
                inner = await beside(self._make)
                await inner.prepare()
                self._inner = inner

    def _make(self) -> Backend:
        spec = self._spec
        secret = self._secrets.find(spec.key_env, spec.key_cmd)
        if secret.value is None and (spec.key_env or spec.key_cmd):
            raise BackendFailure(f"{spec.name}: {secret.source}", kind="systemic")
        options = BackendOptions(
            name=spec.name, base_url=spec.base_url, provider=spec.provider, key=secret.value, params=spec.params
        )
        return self._factory()(options)

    def _factory(self) -> Factory:
        if self._spec.use == "litellm":
            from engine.llm.backend_litellm import LiteLLMBackend

            return LiteLLMBackend
        if self._spec.use == "scripted":
            from engine.llm.backend_scripted import ScriptedBackend

            return ScriptedBackend
        return self._resolve(self._spec.use)

    def price(self, mode: str) -> Price | None:
        """As the real one knows it, once it is there."""
        return self._inner.price(mode) if self._inner is not None else None

    def context_tokens(self, mode: str) -> int | None:
        """As the real one knows it, once it is there."""
        return self._inner.context_tokens(mode) if self._inner is not None else None

    def busy(self) -> str | None:
        """As the real one says, once it is there."""
        return self._inner.busy() if self._inner is not None else None

    async def call(self, sent: Sent) -> Answered:
        """Ask the real one."""
        assert self._inner is not None
        return await self._inner.call(sent)

    async def close(self) -> None:
        """End the real one."""
        if self._inner is not None:
            await self._inner.close()


def why_unusable(spec: BackendSpec, secrets: Secrets) -> str | None:
    """Why a backend cannot be asked at all, without asking it; a key that a command gives is taken as given."""
    if spec.key_env and not spec.key_cmd:
        secret = secrets.find(spec.key_env)
        if secret.value is None:
            return f"{secret.source}: set it in the environment or in a `.env` beside jobs.yaml that only you can read"
    if (
        os.environ.get(SWITCHED_OFF)
        and spec.use == "litellm"
        and not is_this_machine(urlsplit(spec.base_url or "").hostname)
    ):
        return f"providers are switched off by {SWITCHED_OFF}"
    return None


def usable_lanes(
    project: ProjectSpec, secrets: Secrets, given: frozenset[str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Alias → the lanes that can be asked; `given`: backends that stand ready whatever is configured."""
    bad = {spec.name for spec in project.backends if spec.name not in given and why_unusable(spec, secrets)}
    return {model.name: tuple(lane for lane in model.lanes if lane[0] not in bad) for model in project.models}


def why_missing(project: ProjectSpec, model: ModelSpec, secrets: Secrets) -> str | None:
    """Why nobody can answer to an alias; None: somebody can."""
    specs = {spec.name: spec for spec in project.backends}
    reasons = []
    for backend, _ in model.lanes:
        why = why_unusable(specs[backend], secrets)
        if why is None:
            return None
        reasons.append(f"{backend} cannot be asked ({why})")
    return f"model {model.name}: " + "; ".join(dict.fromkeys(reasons))


def why_none(project: ProjectSpec) -> str | None:
    """Why there is nothing to ask at all."""
    return None if project.models else NO_MODEL


def is_this_machine(host: str | None) -> bool:
    """Whether a host's name says that it is this machine; None: there is no host."""
    if host is None:
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
