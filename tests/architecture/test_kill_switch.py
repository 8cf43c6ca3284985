"""The tests' own fence: no test reaches the network, whichever library it goes through."""

from __future__ import annotations

import asyncio
import os
import socket
import time

import httpx
import pytest


def test_connections_to_other_machines_are_refused() -> None:
    with socket.socket() as client, pytest.raises(PermissionError):
        client.connect(("192.0.2.1", 80))


def test_datagrams_to_other_machines_are_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(PermissionError):
        client.sendto(b"x", ("192.0.2.1", 53))


def test_names_are_not_looked_up() -> None:
    with pytest.raises(PermissionError):
        socket.getaddrinfo("example.org", 443)


async def test_clients_on_the_loop_are_refused() -> None:
    with pytest.raises(PermissionError):
        await asyncio.open_connection("192.0.2.1", 80)
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises((PermissionError, httpx.TransportError)):
            await client.get("http://192.0.2.1/")


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_environment_is_the_same_everywhere() -> None:
    assert time.tzname[0] == "UTC"
    assert "NO_COLOR" not in os.environ
