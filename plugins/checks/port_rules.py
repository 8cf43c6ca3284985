"""Ports that a document and the configuration give differently for the same name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from plugins.checks.document import Document
from plugins.checks.finding import Finding
from plugins.checks.port_table import Port, port_table
from plugins.checks.repository import Repository

_VARIABLE: Final = re.compile(r"(?<![A-Z0-9_])[A-Z][A-Z0-9_]*PORT(?![A-Z0-9_])")
_DEFAULT: Final = re.compile(
    r"\bdefaults?\b(?:[\s:=(`'\"*]|to\b|is\b|value\b|port\b)*(\d{2,5})\b(?![.:/]\d)", re.IGNORECASE
)
_ADDRESS: Final = re.compile(
    r"""\b(?:(?:localhost|127\.0\.0\.1|0\.0\.0\.0):
        |(?:listen\w*|run\w*|serve[sd]?|start\w*|available|exposed|is)\s(?:on|at)\sport\s`?)(\d{2,5})\b(?![.:/]\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_CLUSTER: Final = re.compile(
    r"k8s|kubernetes|helm|node ?port|minikube|port-forward|tunnel|ssh|ingress|production|test", re.IGNORECASE
)
"""What publishes services under ports other than those of a compose file."""
_SEPARATOR: Final = re.compile(r"\s*\|?[\s:|-]*-{2,}[\s:|-]*$")
_GENERAL: Final = frozenset(
    {"test", "tests", "docs", "main", "default", "defaults", "host", "local", "http", "port", "run"}
)
"""Names in a configuration that a sentence may hold without meaning what they name."""


class PortRules:
    """The rules for ports on one repository; the configuration is read once, when a document first names a port."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    @cached_property
    def _configured(self) -> dict[str, list[Port]]:
        table: dict[str, list[Port]] = {}
        for port in port_table(self._repository):
            table.setdefault(port.name, []).append(port)
        return table

    def findings(self, document: Document) -> Iterator[Finding]:
        """Find lines that give a variable another default, or a service another address, than the configuration.

        Only a sure conflict counts: the configuration is of one mind about the name, and the line names nothing else.
        """
        if self._repository.is_site(document.path) or self._repository.is_test(document.path):
            return
        code = {
            number for block in document.blocks for number in range(block.line, block.line + block.text.count("\n"))
        }
        header: list[str] = []
        for number, line in enumerate(document.lines, start=1):
            if number in code:
                continue
            if _SEPARATOR.match(line) and "|" in line and number > 1:
                header = [cell.strip().lower() for cell in _cells(document.lines[number - 2])]
            elif "|" not in line:
                header = []
            said = _default_of(line, header)
            if said is not None:
                yield from self._variable(document, number, *said)
            elif _CLUSTER.search("\n".join((document.path, line, *document.headings_at(number)))):
                continue
            elif len(addresses := set(_ADDRESS.findall(line))) == 1:
                yield from self._service(document, number, line, int(addresses.pop()))

    def _variable(self, document: Document, line: int, name: str, port: int) -> Iterator[Finding]:
        configured = [one for one in self._configured.get(name, []) if _concerns(one.path, document.path)]
        if len({one.port for one in configured}) == 1 and configured[0].port != port:
            yield _conflict(document, line, name, port, configured[0])

    def _service(self, document: Document, line: int, text: str, port: int) -> Iterator[Finding]:
        words = set(re.findall(r"[A-Za-z][\w-]*", _ADDRESS.sub(" ", text).lower()))
        named = [name for name in self._configured if name in words]
        if len(named) != 1 or named[0] in _GENERAL or named[0] in self._repository.names:
            return
        configured = [one for one in self._configured[named[0]] if _concerns(one.path, document.path)]
        everywhere = {one.port for ports in self._configured.values() for one in ports}
        if len({one.port for one in configured}) != 1 or port in everywhere:
            return
        # A port that anything else mentions may be right in a way that the configuration does not show.
        if not self._repository.mentions(str(port), configured[0].path):
            yield _conflict(document, line, named[0], port, configured[0])


def _concerns(configuration: str, document: str) -> bool:
    """Whether a file of configuration is about what the document describes: beside it, above it or below it."""
    there, here = posixpath.dirname(configuration), posixpath.dirname(document)
    return not there or not here or f"{here}/".startswith(f"{there}/") or f"{there}/".startswith(f"{here}/")


def _default_of(line: str, header: list[str]) -> tuple[str, int] | None:
    """Return the variable and the default that a line gives it, in a sentence or in a table with such a column."""
    names = set(_VARIABLE.findall(line))
    if len(names) != 1:
        return None
    name = names.pop()
    if header:
        columns = [number for number, title in enumerate(header) if title in ("default", "default value", "standard")]
        cells = _cells(line)
        if (
            len(columns) == 1
            and len(cells) == len(header)
            and (cell := re.fullmatch(r"[`\"']?(\d{2,5})[`\"']?", cells[columns[0]].strip()))
        ):
            return name, int(cell[1])
        return None
    found = _DEFAULT.findall(line)
    return (name, int(found[0])) if len(found) == 1 else None


def _cells(line: str) -> list[str]:
    return line.strip().strip("|").split("|")


def _conflict(document: Document, line: int, name: str, port: int, configured: Port) -> Finding:
    return Finding(
        rule="port",
        type="port-conflict",
        path=document.path,
        line=line,
        evidence=f"{name} {port} {configured.port}",
        sentence=f"gives port {port} for {name}, but {configured.path} says {configured.port}",
        facts=(
            ("Document", f"{name} {port}"),
            ("Configuration", f"{name} {configured.port} ({configured.path}:{configured.line})"),
        ),
    )
