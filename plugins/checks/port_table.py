"""The ports that the configuration of a repository gives: name, port, where."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from plugins.checks.repository import Repository

_ENV_FILE: Final = re.compile(
    r"(?:^|/)(?:\.env\.(?:example|sample|template|dist|defaults?)|\.?env[._-]example|(?:example|sample)\.env)$"
)
_COMPOSE_FILE: Final = re.compile(r"(?:^|/)(?:docker-)?compose(?:\.[\w-]+)?\.ya?ml$")
_CODE_FILE: Final = re.compile(r"\.(?:py|js|mjs|cjs|ts|go|rb)$")
_ENV_LINE: Final = re.compile(r"^\s*(?:export\s+)?([A-Z][A-Z0-9_]*PORT)\s*=\s*[\"']?(\d{2,5})[\"']?\s*(?:#.*)?$")
_ENV_DEFAULT: Final = re.compile(r"\$\{([A-Z][A-Z0-9_]*PORT):-(\d{2,5})\}")
_CODE_DEFAULT: Final = re.compile(
    r"""(?:getenv|environ\.get|env\.get)\(\s*["']([A-Z][A-Z0-9_]*PORT)["']\s*,\s*["']?(\d{2,5})["']?\s*\)
        |process\.env\.([A-Z][A-Z0-9_]*PORT)\s*(?:\|\||\?\?)\s*["']?(\d{2,5})""",
    re.VERBOSE,
)
_SERVICE: Final = re.compile(r"^(\s+)([A-Za-z][\w-]*):\s*(?:#.*)?$")
_PUBLISHED: Final = re.compile(
    r"^\s*-\s*[\"']?(?:[\d.]+:)?(?:\$\{\w+:-(\d{2,5})\}|(\d{2,5})):(?:\$\{\w+:-\d+\}|\d{2,5})(?:/tcp)?[\"']?\s*(?:#.*)?$"
)


_CONFIG_FILE: Final = re.compile(
    r"(?:^|/)(?:(?:app|application|server)?[._-]?(?:config|settings|defaults?)|application|server)\.(?:ya?ml|toml)$"
)
_KEY: Final = re.compile(r"^(\s*)([A-Za-z][\w-]*):\s*(?:#.*)?$")
_KEY_PORT: Final = re.compile(r"^(\s*)(?:([A-Za-z][\w-]*?)[_-])?port\s*[:=]\s*[\"']?(\d{2,5})[\"']?\s*(?:#.*)?$")
_SECTION: Final = re.compile(r"^\[(?:[\w.-]*\.)?([\w-]+)\]\s*(?:#.*)?$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """One port with the name that the configuration gives it."""

    name: str
    """A variable (`API_PORT`) or a service of a compose file (`web`)."""
    port: int
    path: str
    line: int


def port_table(repository: Repository) -> list[Port]:
    """Return every port that is configured under a name, in path and line order."""
    found: list[Port] = []
    for path in sorted(repository.files):
        if not repository.is_ours(path):
            continue
        if _ENV_FILE.search(path):
            found.extend(_lines(repository, path, _ENV_LINE))
        elif _COMPOSE_FILE.search(path):
            found.extend(_lines(repository, path, _ENV_DEFAULT))
            found.extend(_services(path, repository.text(path)))
        elif _CONFIG_FILE.search(path):
            found.extend(_keys(path, repository.text(path)))
        elif _CODE_FILE.search(path) and posixpath.basename(path).rpartition(".")[0].lower() in _CODE_NAMES:
            found.extend(_lines(repository, path, _CODE_DEFAULT))
    return found


_CODE_NAMES: Final = frozenset({"config", "settings", "main", "app", "server", "index", "env", "constants", "defaults"})


def _lines(repository: Repository, path: str, pattern: re.Pattern[str]) -> Iterator[Port]:
    for number, line in enumerate(repository.text(path).splitlines(), start=1):
        for match in pattern.finditer(line):
            name, port = (group for group in match.groups() if group)
            yield Port(name=name, port=int(port), path=path, line=number)


def _keys(path: str, text: str) -> Iterator[Port]:
    """`port` below a key or a section of a YAML or TOML file, and `NAME_port` anywhere; a bare `port` has no name."""
    above: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if section := _SECTION.match(line):
            above = [(-1, section[1])]
        elif key := _KEY.match(line):
            above = [one for one in above if one[0] < len(key[1])] + [(len(key[1]), key[2])]
        elif found := _KEY_PORT.match(line):
            outer = [name for indent, name in above if indent < len(found[1])]
            if name := found[2] or (outer[-1] if outer else ""):
                yield Port(name=name.lower(), port=int(found[3]), path=path, line=number)


def _services(path: str, text: str) -> Iterator[Port]:
    """Published ports of a compose file; a service with one that cannot be read gives none."""
    service, indent, inside, in_ports = "", "", False, False
    ports: list[Port] = []
    readable = True
    for number, line in enumerate([*text.splitlines(), "end:"], start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace():
            if readable:
                yield from ports
            ports, readable = [], True
            inside, indent, service, in_ports = line.startswith("services:"), "", "", False
            continue
        key = _SERVICE.match(line)
        if inside and key and (not indent or key[1] == indent):
            if readable:
                yield from ports
            ports, readable, in_ports = [], True, False
            indent, service = key[1], key[2]
        elif service and re.match(r"\s+[\w-]+:", line) and not line.lstrip().startswith("-"):
            in_ports = bool(re.match(r"\s+ports:\s*$", line))
        elif service and in_ports:
            if published := _PUBLISHED.match(line):
                ports.append(Port(name=service, port=int(published[1] or published[2]), path=path, line=number))
            else:
                readable = False
