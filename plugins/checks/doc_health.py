"""The check `doc-health`: what the Markdown files of the repositories say that is not so (any more).

Links and anchors that lead nowhere, commands and paths that do not exist, ports that disagree with the configuration.
Every rule keeps silent where it cannot be sure: a finding is work for a person.
"""

from __future__ import annotations

import asyncio
import os
import posixpath
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Final

from engine.contracts.context import DiscoveryContext
from engine.contracts.item import Candidate
from engine.contracts.seam import accepts, asks_servers
from engine.kit.files import FileProblem, read_text
from plugins.checks.command_rules import CommandRules
from plugins.checks.document import Document, Reference, parse
from plugins.checks.external_links import ExternalLinks
from plugins.checks.finding import Finding, around, candidates
from plugins.checks.link_rules import link_findings
from plugins.checks.path_rules import path_findings
from plugins.checks.port_rules import PortRules
from plugins.checks.prefix import prefix_of
from plugins.checks.repository import Repository

CHECK: Final = "doc-health"


@accepts("external", "ignore", "group")
@asks_servers("external")
async def discover(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Give one candidate per finding, by repository, path and line.

    `external: true` also asks the servers of links that leave the repository; `ignore` names beginnings of URLs that
    are not asked for; `group: true` makes one item of all findings of one rule in one file.
    """
    complete = True
    links = ExternalLinks(ctx.http, ctx.root, ignore=_ignored(ctx)) if ctx.params.get("external") is True else None
    covered: list[str] = []
    for folder in ctx.repositories:
        prefix = prefix_of(ctx.root, folder)
        covered.append(prefix or ".")
        if not folder.is_dir():
            complete = False
            ctx.problem("the repository is not a folder", path=prefix or ".")
            continue
        repository = await asyncio.to_thread(Repository, folder)
        if repository.unreadable:
            complete = False
            ctx.problem(f"{repository.unreadable} names could not be read", path=prefix or ".")
        check = _Check(repository, links)
        found: list[Finding] = []
        for path in await asyncio.to_thread(_regular, repository):
            if ctx.cancelled:
                ctx.scope(covered, complete=False)
                return
            try:
                found.extend(await asyncio.to_thread(check.file, path))
            except FileProblem as problem:
                complete = False
                ctx.problem(f"cannot be read: {problem}", path=posixpath.join(prefix, path))
        if links is not None:
            dead = await links.dead(reference.target.strip() for _, reference in check.external)
            found.extend(
                check.external_finding(document, reference, dead[reference.target.strip()])
                for document, reference in check.external
                if reference.target.strip() in dead
            )
            found.sort(key=lambda finding: (finding.path, finding.line))
        judged, sure = await asyncio.to_thread(_judged, repository, found)
        if not sure:
            # What history would have told is not found now, which does not make it mended.
            complete = False
            ctx.problem("git did not say in time what it ignores or once had", path=prefix or ".")
        for candidate in candidates(CHECK, prefix, judged, group=ctx.params.get("group") is True):
            yield candidate
    ctx.scope(covered, complete=complete)


def _ignored(ctx: DiscoveryContext) -> list[str]:
    told = ctx.params.get("ignore", [])
    return [str(one) for one in told] if isinstance(told, list) else [str(told)]


def _regular(repository: Repository) -> list[str]:
    """Return the documents that are files of their own; what a symbolic link leads to is read where it lies."""
    found: list[str] = []
    for path in repository.documents:
        try:
            if stat.S_ISREG(os.lstat(repository.root / path).st_mode):
                found.append(path)
        except FileNotFoundError:
            continue
    return found


class _Check:
    """All rules on one repository."""

    def __init__(self, repository: Repository, links: ExternalLinks | None) -> None:
        self.external: list[tuple[Document, Reference]] = []
        """Links that leave the repository, as they were met."""
        self._links = links
        self._repository = repository
        self._commands = CommandRules(repository)
        self._ports = PortRules(repository)
        self._parsed: dict[str, Document | None] = {}

    def file(self, path: str) -> list[Finding]:
        """Return what is wrong in one document, by line; FileProblem when it cannot be read."""
        document = parse(path, read_text(self._repository.root, path))
        if self._links is not None:
            self.external += [(document, one) for one in document.references if self._links.wants(one.target.strip())]
        found = sorted(self._rules(document), key=lambda finding: (finding.line, finding.rule, finding.evidence))
        # A path that is missed as a link or a command is not missed once more as a path.
        told = {(finding.line, finding.missing) for finding in found if finding.rule != "path"}
        kept = [finding for finding in found if finding.rule != "path" or (finding.line, finding.missing) not in told]
        return [_placed(document, finding) for finding in kept]

    def external_finding(self, document: Document, reference: Reference, why: str) -> Finding:
        """A link to another server that is dead."""
        target = reference.target.strip()
        history = self._repository.is_history(document.path)
        finding = Finding(
            rule="external-link",
            type="broken-link",
            path=document.path,
            line=reference.line,
            evidence=target,
            sentence=f"links to {target}, {why}",
            confidence="medium" if history else "high",
        )
        return _placed(document, finding)

    def _rules(self, document: Document) -> Iterator[Finding]:
        history = self._repository.is_history(document.path)
        for finding in link_findings(self._repository, document, self._other):
            # A record of another time may be left as it was.
            yield replace(finding, confidence="medium") if history else finding
        if not history:
            yield from self._commands.findings(document)
            yield from path_findings(self._repository, document)
            yield from self._ports.findings(document)

    def _other(self, path: str) -> Document | None:
        """Another document, for its anchors; None when it cannot be read, which is no finding of the one that links."""
        if path not in self._parsed:
            try:
                self._parsed[path] = parse(path, read_text(self._repository.root, path))
            except FileProblem:
                self._parsed[path] = None
        return self._parsed[path]


def _placed(document: Document, finding: Finding) -> Finding:
    first, lines = around(document.lines, finding.line)
    return replace(finding, first_line=first, lines=lines, headings=document.headings_at(finding.line))


def _judged(repository: Repository, findings: list[Finding]) -> tuple[list[Finding], bool]:
    """Leave out what git ignores (it is made, not kept), say what history knows of the rest; and whether git told."""
    missing = {finding.missing for finding in findings if finding.missing}
    asked_ignored = repository.ignored(missing)
    ignored = asked_ignored or set()
    asked_deleted = repository.deleted(missing - ignored)
    deleted = asked_deleted or {}
    kept: list[Finding] = []
    for finding in findings:
        if finding.missing and finding.missing in ignored:
            continue
        if finding.missing and (removed := deleted.get(finding.missing)):
            sure = finding.rule == "path"
            facts = (*finding.facts, ("Removed in", removed))
            kept.append(replace(finding, confidence="high" if sure else finding.confidence, facts=facts))
        elif not finding.only_if_deleted:
            kept.append(finding)
    return kept, asked_ignored is not None and asked_deleted is not None
