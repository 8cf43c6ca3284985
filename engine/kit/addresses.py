"""Which addresses of the network a URL from outside may lead to: public unicast ones, and no other.

`ipaddress.is_global` says yes to several that lead home again (NAT64 and 6to4 of a private address, 192.0.0.8,
multicast), so the ranges are written down here, and IPv4 addresses inside IPv6 ones are unwrapped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_REFUSED_V4: Final = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
            *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
_PUBLIC_V6: Final = IPv6Network("2000::/3")
_REFUSED_V6: Final = tuple(
    map(
        IPv6Network,
        # Protocol assignments with Teredo and ORCHID, documentation, 6to4, documentation again.
        ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""How an IPv6-only network reaches IPv4: what is inside decides."""
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)
_NUMBER: Final = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)")
_LOCAL_NAMES: Final = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa")


def why_refused(address: str) -> str | None:
    """Say why a connection to an IP address is refused; None: it is a public one."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "is no IP address"
    if isinstance(ip, IPv4Address):
        return None if _is_public_v4(ip) else "is not on the public network"
    if ip.scope_id is not None:
        return "belongs to one link only"
    if ip in _NAT64:
        return None if _is_public_v4(IPv4Address(int(ip) & 0xFFFF_FFFF)) else "leads to a private address"
    if ip not in _PUBLIC_V6 or any(ip in network for network in _REFUSED_V6):
        return "is not on the public network"
    return "leads to a private address" if _leads_home(ip) else None


def _is_public_v4(ip: IPv4Address) -> bool:
    return not any(ip in network for network in _REFUSED_V4)


def _leads_home(ip: IPv6Address) -> bool:
    """Whether an IPv4 address that is not public is inside an ISATAP one."""
    interface = int(ip) & 0xFFFF_FFFF_FFFF_FFFF
    return interface >> 32 in _ISATAP and not _is_public_v4(IPv4Address(interface & 0xFFFF_FFFF))


def why_host_refused(host: str) -> str | None:
    """Say why a host name is not even looked up; None: what it resolves to decides.

    `host` is in ASCII and lower case, without brackets. A number in any spelling but the usual one is refused: whoever
    resolves it may take it for another address than whoever checks it.
    """
    name = host.rstrip(".")
    if not name or len(name) > 253 or any(ord(letter) <= 0x20 or ord(letter) > 0x7E for letter in name):
        return "is no host name"
    if ":" in name or "%" in name:
        return why_refused(name)
    last = name.rpartition(".")[2]
    if _NUMBER.fullmatch(last):
        return why_refused(name)
    if any(name == local or name.endswith(f".{local}") for local in _LOCAL_NAMES):
        return "is a name of this machine or its network"
    return None


def is_allowed(host: str, port: int, allowed: Iterable[str]) -> bool:
    """Whether a person has allowed a host: `name` for any port of it, or `name:port`."""
    name = f"[{host}]" if ":" in host else host.rstrip(".")
    return any(entry in (name, f"{name}:{port}") for entry in allowed)
