"""Deep links: one text for a place in the control room, the same for command line, palette and clipboard.

`rivus://SCREEN`, `rivus://SCREEN?filter=…&scope=…`, `rivus://item/JOB/KEY`.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from engine.contracts.values import dataclass
from rivus_tui.memory import View
from rivus_tui.rooms import standing
from rivus_tui.sources import ItemKey

SCHEME = "rivus"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a link leads."""

    mode: str
    filter: str = ""
    scope: str = "all"
    item: ItemKey | None = None

    @property
    def view(self) -> View:
        """The list to show."""
        return View(mode=self.mode, filter=self.filter, scope=self.scope)


def link_to(place: Place) -> str:
    """Return the link to a place."""
    if place.item is not None:
        return f"{SCHEME}://item/" + "/".join(quote(part, safe="") for part in place.item)
    more = {"filter": place.filter, "scope": "" if place.scope == "all" else place.scope}
    query = urlencode({name: value for name, value in more.items() if value}, quote_via=quote)
    return f"{SCHEME}://{place.mode}" + (f"?{query}" if query else "")


def place_of(link: str) -> Place:
    """Return where a link leads; ValueError says what is wrong with it."""
    parts = urlsplit(link.strip())
    if parts.scheme != SCHEME:
        raise ValueError(f"a link begins with {SCHEME}://")
    if parts.netloc == "item":
        named = [unquote(part) for part in parts.path.lstrip("/").split("/")]
        if len(named) != 2 or not all(named):
            raise ValueError(f"a link to an item is {SCHEME}://item/JOB/KEY")
        return Place(mode="items", item=(named[0], named[1]))
    modes = [room.mode for room in standing()]
    if parts.netloc not in modes:
        raise ValueError(f"there is no screen `{parts.netloc[:40]}`; there are: {', '.join(modes)}")
    told = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := set(told) - {"filter", "scope"}:
        raise ValueError(f"a link has a filter and a scope, not `{min(unknown)[:40]}`")
    scope = told.get("scope", "all")
    if scope not in ("external", "internal", "all"):
        raise ValueError("the scope is external, internal or all")
    return Place(mode=parts.netloc, filter=told.get("filter", "")[:1_000], scope=scope)
