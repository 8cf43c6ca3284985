"""Links, images, anchors and references that lead nowhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote

from plugins.checks.document import Document, Reference
from plugins.checks.finding import Finding
from plugins.checks.repository import MARKDOWN, Repository
from plugins.checks.slugs import folded

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+$")
"""A link to a person, without its scheme."""
_TEMPLATE: Final = re.compile(r"[{}<>$%*|]|\.\.\.|…|\s{2}")
# Pages that a forge serves beside the files of a repository.
_FORGE: Final = re.compile(
    r"(?:^|/)(?:issues|pulls?|wiki|releases|actions|discussions|blob|tree|raw|commits?|compare|security|stargazers|graphs|network|projects"
    r"|labels|milestones?|edit|new|fork|archive|tags|branches|packages|deployments|sponsors|contributors|profile|-)(?:/|$)"
)
_BARE_FILE: Final = re.compile(
    r"(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS|CONTRIBUTORS|MAINTAINERS|Makefile|Dockerfile|justfile|Procfile|Vagrantfile|Gemfile|Rakefile)[\w-]*$"
)
_EXTENSION: Final = re.compile(r"\.([A-Za-z][A-Za-z0-9]{0,7}|mp[34]|7z)$")
_PAGE: Final = frozenset({"html", "htm", "xhtml", "php", "aspx", "jsp"})
# Endings of names of hosts: `[site](example.com)` is a link without its scheme, not a file.
_HOSTS: Final = frozenset(
    {
        "com",
        "org",
        "net",
        "io",
        "dev",
        "ai",
        "app",
        "me",
        "co",
        "edu",
        "gov",
        "info",
        "xyz",
        "cloud",
        "in",
        "us",
        "uk",
        "de",
    }
)
_ELSEWHERE_SHOWN: Final = re.compile(r"(?:^|/)readme[._-](?:marketplace|npm|pypi|nuget|docker\w*)\.md$", re.I)
_PLAYED: Final = frozenset({"mp4", "webm", "ogg", "ogv", "mov", "mp3", "wav", "m4a", "m4v"})
_READMES: Final = ("README.md", "readme.md", "Readme.md")
_LANGUAGE: Final = re.compile(r"[a-z]{2}(?:[-_][A-Za-z]{2,4})?")
_SELF_LINE: Final = re.compile(
    r"L\d+(?:C\d+)?(?:-L?\d+(?:C\d+)?)?$|:~:|/|!|\?|user-content-|fn(?:ref)?[:-]?\d*|issue|readme$|top$", re.I
)
_USED_REFERENCE: Final = re.compile(r"(?<![\]\\\w!\[)])\[([^\[\]\n]{2,80})\]\[([^\[\]\n]{2,60})\](?![\[(\w:])")
_INLINE_CODE: Final = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)


def link_findings(
    repository: Repository, document: Document, parsed: Callable[[str], Document | None]
) -> Iterator[Finding]:
    """Find what is broken among the links of one document; `parsed` gives another document of the repository."""
    for reference in document.references:
        target = reference.target.strip()
        if (
            not target
            or _SCHEME.match(target)
            or _MAIL.match(target)
            or _TEMPLATE.search(unquote(target.partition("#")[0]))
        ):
            continue
        plain, _, anchor = target.partition("#")
        plain = plain.partition("?")[0]
        if not plain:
            yield from _anchor(repository, document, document, reference, anchor)
            continue
        path = _place(repository, document.path, plain)
        if path is None:
            continue
        if repository.exists(path):
            # A site has rules of its own for which page a file becomes.
            page = _shown_for(repository, document, path) if anchor else None
            if page is not None and (other := parsed(page)):
                yield from _anchor(repository, document, other, reference, anchor)
            continue
        yield from _missing(repository, document, reference, path)
    yield from _references(repository, document)


def _place(repository: Repository, source: str, target: str) -> str | None:
    """Return the path in the repository that a target means; None where that is not sure."""
    plain = unquote(target)
    folder = posixpath.dirname(source)
    if "\0" in plain or _FORGE.search(plain.lstrip("./")) or _FORGE.match(plain):
        return None
    if plain.startswith("/"):
        path = posixpath.normpath(plain.lstrip("/"))
        return path if path.split("/")[0] in repository.folders and not repository.is_site(source) else None
    path = posixpath.normpath(posixpath.join(folder, plain))
    return None if path.startswith("..") else path


def _shown_for(repository: Repository, document: Document, path: str) -> str | None:
    """Return the document that is shown for a path: of a folder, its readme."""
    if path in repository.files:
        return path if path.lower().endswith(MARKDOWN) else None
    if repository.is_site(document.path):
        return None
    inside = "" if path == "." else f"{path}/"
    return next((page for name in _READMES if (page := inside + name) in repository.files), None)


def _missing(repository: Repository, document: Document, reference: Reference, path: str) -> Iterator[Finding]:
    name = posixpath.basename(path)
    ending = _EXTENSION.search(name)
    extension = ending[1].lower() if ending else ""
    target = unquote(reference.target.partition("#")[0])
    if not extension and not _BARE_FILE.match(name) and not target.endswith("/"):
        return
    if extension in _HOSTS and "/" not in target.removeprefix("./"):
        return
    site = repository.is_site(document.path)
    if extension in _PAGE and (site or not repository.named(name)):
        # A page that is built, or that the source of a site becomes.
        return
    tail = target.lstrip("./")
    others = repository.elsewhere(tail)
    if site and (others or extension not in ("md", "markdown") or repository.named(name)):
        return
    if others and (document.path.startswith(".github/") or _ELSEWHERE_SHOWN.search(document.path)):
        return
    if repository.named(name) and any(_LANGUAGE.fullmatch(part) for part in document.path.split("/")[:-1]):
        # Sites in many languages fall back to the page in the first one.
        return
    if not ending and ("/#" in reference.target or name.lower() in repository.pages):
        # The address of a page on a site, which its source does not have.
        return
    kind = "links to" if reference.kind == "link" else "plays" if extension in _PLAYED else "shows the image"
    facts = [("Target", target), ("Looked for", path)]
    if alike := repository.named(name)[:3]:
        facts.append(("Of that name", ", ".join(alike)))
    yield Finding(
        rule=reference.kind,
        type="broken-link",
        path=document.path,
        line=reference.line,
        evidence=target,
        sentence=f"{kind} {path}, which does not exist",
        missing=path,
        # A path from the root is the repository's own, or an address of the site that the text was taken from.
        only_if_deleted=target.startswith("/") and posixpath.dirname(path) not in repository.folders,
        confidence="medium" if site else "high",
        facts=tuple(facts),
    )


def _anchor(
    repository: Repository, document: Document, other: Document, reference: Reference, anchor: str
) -> Iterator[Finding]:
    wanted = folded(anchor)
    if (
        not wanted
        or reference.kind == "image"
        or other.includes
        or _SELF_LINE.match(anchor)
        or _TEMPLATE.search(unquote(anchor))
    ):
        return
    if wanted in other.anchors or unquote(anchor).lower() in other.ids or not (other.anchors or other.ids):
        return
    if _is_numbered(other, wanted, last=repository.is_site(document.path)):
        return
    if any(wanted.endswith(one) and wanted.removesuffix(one) in other.anchors for one in other.anchors):
        # Some sites put the heading above into the anchor.
        return
    own = other is document
    close = [text for _, _, text in other.headings if len(wanted) > 4 and wanted in folded(text)]
    where = "no heading or anchor" if own else f"no heading or anchor of {other.path}"
    yield Finding(
        rule="anchor",
        type="broken-anchor",
        path=document.path,
        line=reference.line,
        evidence=f"#{anchor}" if own else f"{other.path}#{anchor}",
        sentence=f"links to #{unquote(anchor)}, which {where} gives",
        facts=(("Target", reference.target), *((("Nearest heading", close[0]),) if close else ())),
    )


def _is_numbered(document: Document, wanted: str, *, last: bool) -> bool:
    """Whether it is a later one of several headings with the same name.

    Forges call the second `name-1`; some makers of sites call it `name-2`, and so have one more `last`.
    """
    name = wanted.rstrip("0123456789")
    number = wanted.removeprefix(name)
    same = sum(folded(text) == name for _, _, text in document.headings) if number else 0
    return same > 1 and int(number) < same + last


def _references(repository: Repository, document: Document) -> Iterator[Finding]:
    """`[text][label]` without a definition, in a document that does use definitions."""
    if not document.defined or document.includes or repository.is_site(document.path):
        return
    for line, source in document.texts:
        text = _INLINE_CODE.sub(lambda found: " " * len(found[0]), source)
        for found in _USED_REFERENCE.finditer(text):
            label = " ".join(found[2].split())
            if label.upper() in document.defined or " ".join(label.casefold().split()).upper() in document.defined:
                continue
            # An index, a generic type, a footnote, a task box, a symbol of the code: not surely meant as a link.
            if not re.search(r"[A-Za-z]{2}", found[1]) or not re.fullmatch(r"[\w -]*[A-Za-z]{2}[\w -]*", label):
                continue
            yield Finding(
                rule="reference",
                type="broken-link",
                path=document.path,
                line=line + text.count("\n", 0, found.start()),
                evidence=f"[{label}]",
                sentence=f"uses the link reference [{label}], which is not defined",
                confidence="medium",
                facts=(("Link text", found[1]),),
            )
