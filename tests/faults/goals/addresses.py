"""S6: ways to lead the shared HTTP client to this machine or its network; the whole of it is in `test_addresses.py`."""

from __future__ import annotations

import asyncio

from engine.kit.http import HttpError
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.test_addresses import PUBLIC, V4, V6, ground, hosts
from tests.kit.web import reply


def addresses(lane: Lane) -> Reading:
    """Every spelling of an address, asked for directly, by redirects, and through names that change what they say."""
    return asyncio.run(_all(1 if lane.deep else 12))


async def _all(step: int) -> Reading:
    chosen, names_of = hosts()[::step], (*V4, *V6)[::step]
    tried = 0
    answered: list[str] = []
    async with ground() as (http, names, sink, door):

        async def ask(url: str, how: str) -> None:
            nonlocal tried
            tried += 1
            try:
                await http.get(url, timeout_s=5.0)
            except HttpError:
                return
            answered.append(f"{how} was answered")

        for host in chosen:
            await ask(f"http://{host}:{sink.port}/", host)
            for status, location in ((302, f"http://{host}:{sink.port}/"), (307, f"//{host}:{sink.port}/")):
                door.pages["/"] = reply(status).replace(b"\r\n\r\n", f"\r\nlocation: {location}\r\n\r\n".encode())
                await ask(f"http://door.example.org:{door.port}/", f"a redirect to {host}")
        for address in names_of:
            for told in ([[address]], [[PUBLIC, address]], [[PUBLIC], [address]]):
                names.answers["evil.example.org"] = list(told)
                await ask(f"http://evil.example.org:{sink.port}/", f"a name of {address}")
        found = answered + [f"{sink.connections} connections came through"] * bool(sink.connections)
    return readings(
        found,
        f"{len(chosen)} spellings and {len(names_of)} addresses behind names, {tried} requests, "
        f"{sink.connections} connections",
    )


GOALS = [Goal("S6", "addresses", "0 connections to this machine or its network", addresses)]
