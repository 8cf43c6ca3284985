"""One call to a model: through the door with litellm, and the same request with plain httpx, to one local server."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.figure import Figure
from engine.contracts.models import BackendSpec
from engine.kit.secrets import Secrets
from tests.llm.house import FREE, House, model
from tests.llm.openai_server import Server, openai_server

_CALLS: Final = 200
_ROUNDS: Final = 3


def measures() -> Iterator[Figure]:
    """Median milliseconds a call, one after the other; the reservation and the settlement are in it."""
    with openai_server() as server, tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
        plain, through = asyncio.run(_measure(Path(folder), server))
    yield Figure(
        name="model-call",
        value=through,
        unit="ms a call",
        peer="httpx",
        peer_value=plain,
        setting="litellm, local server",
    )


async def _measure(folder: Path, server: Server) -> tuple[float, float]:
    spec = BackendSpec(name="local", provider="openai", base_url=server.url, key_env="LOCAL_KEY", price=FREE)
    house = House(folder, backends=[spec], models=[model("fast", "local/small")])
    house.gateway.secrets = Secrets(None, {"LOCAL_KEY": "local-secret-key"})
    await house.gateway.configure(house.project)
    door = house.door("docs")

    async def through(n: int) -> Any:
        return await door.ask(f"question {n}")

    async with httpx.AsyncClient(timeout=30) as client:

        async def plain(n: int) -> Any:
            body = {"model": "small", "messages": [{"role": "user", "content": f"question {n}"}], "max_tokens": 100}
            answer = await client.post(f"{server.url}/chat/completions", json=body)
            return answer.json()["choices"][0]["message"]["content"]

        await _median(through, 10)  # litellm is loaded with the first call
        await _median(plain, 10)
        rounds = [(await _median(plain, _CALLS), await _median(through, _CALLS)) for _ in range(_ROUNDS)]
    await house.gateway.stop()
    house.ground.close()
    return statistics.median(one for one, _ in rounds), statistics.median(other for _, other in rounds)


async def _median(call: Callable[[int], Awaitable[Any]], n: int) -> float:
    times = []
    for at in range(n):
        began = time.perf_counter()
        await call(at)
        times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(times)
