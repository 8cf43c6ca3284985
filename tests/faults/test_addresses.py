"""No spelling, redirect or resolver's trick leads the shared HTTP client to this machine or its network."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import pytest

from engine.kit.addresses import why_refused
from engine.kit.http import Http, HttpError, HttpRefused
from tests.kit.web import Web, reply, web

PUBLIC = "93.184.215.14"

V4 = (
    *("127.0.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1"),
    *("169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.170", "192.0.2.1"),
    *("192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255"),
)
V6 = (
    *("::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "2002:7f00:1::"),
    "2002:a9fe:a9fe::1",
    *("2001::1", "2001:0:7f00:1::", "2001:db8::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1"),
    "ff02::1",
    *("100::1", "2a00:1450:4001::5efe:7f00:1", "2a00:1450:4001:1:0:5efe:7f00:1", "2a00:1450:4001:1:200:5efe:10.0.0.1"),
)  # fmt: skip
SPELLINGS = (
    *("2130706433", "0x7f000001", "0x7f.1", "0x7F.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "0177.0.0.01"),
    "00000177.1",
    *("017700000001", "127.0.0.1.", "127.0.0.1..", "0", "0x0", "00", "0.0", "127.0.0.0x1", "2852039166", "0xa9fea9fe"),
    *("0xA9.0xFE.0xA9.0xFE", "425.510.425.510", "169.254.43518", "%31%32%37.0.0.1", "127.0.0.1%00", "127%2e0%2e0%2e1"),
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "127.0.0.1\u200b", "localhost", "LOCALHOST", "localhost."),
    "a.localhost",
    *("localhost.localdomain", "printer.local", "metadata.google.internal", "router.lan", "ｌocalhost"),
    "loc\u00adalhost",
    *("[::1%25lo]", "[::1%251]", "[fe80::1%25eth0]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]", "[::FFFF:7F00:1]"),
    *("[v1.fe80::a]", "example.org@127.0.0.1", "127.0.0.1#@example.org", "example.org\\@127.0.0.1", "[127.0.0.1]"),
)  # fmt: skip


class Names:
    """A resolver under the attacker's control. What is no name of theirs it reads as the C library does."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Collection[str]]] = {}
        """Name → what it answers, in turn; the last answer stays."""

    async def __call__(self, host: str, _port: int) -> Collection[str]:
        if host in self.answers:
            told = self.answers[host]
            return told.pop(0) if len(told) > 1 else told[0]
        try:
            return [socket.inet_ntoa(socket.inet_aton(host))]
        except OSError:
            return ["127.0.0.1", "::1"]


@asynccontextmanager
async def ground() -> AsyncIterator[tuple[Http, Names, Web, Web]]:
    """A client, its resolver, a server that must not be reached, and one that a person has allowed."""
    names = Names()
    async with web() as sink, web() as door:
        names.answers["door.example.org"] = [["127.0.0.1"]]
        http = Http(allow=[f"door.example.org:{door.port}"], resolve=names, pause_s=0.0)
        sink.pages["/"] = reply(200, b"secret")
        try:
            yield http, names, sink, door
        finally:
            await http.close()


async def refused(http: Http, url: str) -> None:
    with pytest.raises(HttpError):
        await http.get(url, timeout_s=5.0)


def hosts() -> list[str]:
    return [*V4, *(f"[{address}]" for address in V6), *SPELLINGS]


def test_there_are_many() -> None:
    assert len({*V4, *V6, *SPELLINGS}) >= 90


async def test_no_spelling_connects() -> None:
    async with ground() as (http, _, sink, _):
        for host in hosts():
            await refused(http, f"http://{host}:{sink.port}/")
        assert sink.connections == 0


@pytest.mark.parametrize(
    "location",
    [lambda host, port: f"http://{host}:{port}/", lambda host, port: f"//{host}:{port}/"],
    ids=["absolute", "without a scheme"],
)
async def test_no_redirect_connects(location: Callable[[str, int], str]) -> None:
    async with ground() as (http, _, sink, door):
        for number, host in enumerate(hosts()):
            status = (301, 302, 303, 307, 308)[number % 5]
            raw = reply(status).replace(b"\r\n\r\n", f"\r\nlocation: {location(host, sink.port)}\r\n\r\n".encode())
            door.pages["/"] = raw
            await refused(http, f"http://door.example.org:{door.port}/")
        assert sink.connections == 0
        assert len(door.requests) == len(hosts())


@pytest.mark.parametrize("beside", [(), (PUBLIC,)], ids=["alone", "beside a public one"])
async def test_no_name_leads_to_such_an_address(beside: tuple[str, ...]) -> None:
    async with ground() as (http, names, sink, _):
        for address in (*V4, *V6):
            names.answers["evil.example.org"] = [[*beside, address]]
            with pytest.raises(HttpRefused):
                await http.get(f"http://evil.example.org:{sink.port}/", timeout_s=5.0)
        assert sink.connections == 0


async def test_name_that_changes_its_address_is_connected_as_it_was_checked() -> None:
    tried: list[str] = []
    async with ground() as (http, names, sink, _):
        wire = http._open()
        connect = wire._network._network.connect_tcp

        async def noted(host: str, *args: object, **more: object) -> object:
            tried.append(host)
            return await connect(host, *args, **more)  # type: ignore[arg-type]

        wire._network._network.connect_tcp = noted  # type: ignore[assignment]
        for address in (*V4, *V6):
            # Checked once as public; whoever asked again before connecting would get the other.
            names.answers["evil.example.org"] = [[PUBLIC], [address]]
            await refused(http, f"http://evil.example.org:{sink.port}/")
        assert sink.connections == 0
        assert set(tried) == {PUBLIC}


async def test_allowed_host_is_allowed_on_its_port_only() -> None:
    async with ground() as (http, names, sink, door):
        door.pages["/"] = reply(200, b"welcome")
        assert (await http.get(f"http://door.example.org:{door.port}/")).text == "welcome"
        await refused(http, f"http://door.example.org:{sink.port}/")
        assert sink.connections == 0
        open_http = Http(allow=["127.0.0.1"], resolve=names)
        assert (await open_http.get(sink.url)).text == "secret"  # what all the others were after is there
        await open_http.close()


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101", "2a00:1450:4001::1"]
)
def test_public_address_is_not_refused(address: str) -> None:
    assert why_refused(address) is None


@pytest.mark.parametrize("address", [*V4, *V6, "", "x", "127.1"])
def test_address_is_refused_with_a_reason(address: str) -> None:
    assert why_refused(address)
