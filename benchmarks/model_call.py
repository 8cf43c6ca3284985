"""One call to a model: through the door, and the same request with litellm alone and with plain httpx, to one local
server."""

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
from engine.contracts.llm import Message, Sent
from engine.contracts.models import BackendSpec
from engine.kit.secrets import Secrets
from tests.llm.house import FREE, House, model
from tests.llm.openai_server import Server, openai_server

_CALLS: Final = 200
_ROUNDS: Final = 3


def measures() -> Iterator[Figure]:
    """Milliseconds a call, one after the other, the reservation and the settlement in it: on the wall (medians), and of
    the processor, the server's (which is in the same process) included."""
    with openai_server() as server, tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
        walls, cpus = asyncio.run(_measure(Path(folder), server))
    for name, unit, (plain, bare, through) in (("model-call", "ms", walls), ("model-call-cpu", "CPU ms", cpus)):
        for peer, value in (("httpx", plain), ("litellm alone", bare)):
            yield Figure(
                name=name,
                value=through,
                unit=f"{unit} a call",
                peer=peer,
                peer_value=value,
                setting="litellm, local server",
            )


async def _measure(folder: Path, server: Server) -> tuple[list[float], list[float]]:
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

        backend = house.gateway.backends["local"]

        async def bare(n: int) -> Any:
            return await backend.call(
                Sent(
                    mode="small",
                    messages=(Message(role="user", content=f"question {n}"),),
                    json_schema=None,
                    temperature=0.0,
                    max_tokens=100,
                    timeout_s=30.0,
                )
            )

        await _timed(through, 10)  # litellm is loaded with the first call
        calls = (plain, bare, through)
        for call in calls:
            await _timed(call, 10)
        rounds = [[await _timed(call, _CALLS) for call in calls] for _ in range(_ROUNDS)]
    await house.gateway.stop()
    house.ground.close()
    walls, cpus = ([statistics.median(one[at] for one in of) for of in zip(*rounds, strict=True)] for at in (0, 1))
    return walls, cpus


async def _timed(call: Callable[[int], Awaitable[Any]], n: int) -> tuple[float, float]:
    """Median on the wall, and mean of the processor, in milliseconds."""
    times, cpu = [], time.process_time()
    for at in range(n):
        began = time.perf_counter()
        await call(at)
        times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(times), (time.process_time() - cpu) * 1_000 / n
