"""Links that leave the repository, asked for with the shared HTTP client: only where the job says `external: true`.

A link is dead when its server says so (404, 410) or its host has no address while others answer. Whatever else goes
wrong says nothing about the link: what was known of it stays. Answers are kept, so that a day's run asks few servers.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import socket
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urldefrag, urlsplit

import platformdirs

from engine.contracts.http import Http
from engine.kit.http import HttpError, HttpRefused, HttpTooLarge, HttpUnreachable

GOOD_S: Final = 7 * 86_400.0
DEAD_S: Final = 86_400.0
"""How long an answer is kept."""
MOST: Final = 300
"""So many are asked for in one run; the others have their turn in the next ones."""
_AT_ONCE: Final = 8
_PER_HOST: Final = 2
_TIMEOUT_S: Final = 20.0
_GONE: Final = (404, 410)
_NO_HEAD: Final = (403, 404, 405, 410, 500, 501)
"""Servers say these to HEAD of pages that they give to GET."""
_MADE_UP: Final = ("example", "test", "invalid", "localhost", "local", "internal")
"""Names that no public host has (RFC 2606, RFC 6761), beside example.com and its like."""


class ExternalLinks:
    """What is known of the links of one project."""

    def __init__(self, http: Http, root: Path, *, ignore: Iterable[str] = (), kept: Path | None = None) -> None:
        """`ignore`: beginnings of URLs that are not asked for; `kept`: the file of answers."""
        self._http = http
        self._ignore = tuple(ignore)
        self._kept = kept or platformdirs.user_cache_path("rivus") / "links" / f"{_name(root)}.json"
        self._answers = _read(self._kept)
        self._hosts: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_PER_HOST))
        self._all = asyncio.Semaphore(_AT_ONCE)
        self.unsure = 0
        """Links of this run of which nothing is known."""

    def wants(self, target: str) -> bool:
        """Whether a target is a link that can be asked for."""
        try:
            split = urlsplit(target)
            host = (split.hostname or "").rstrip(".").lower()
        except ValueError:
            return False
        if split.scheme not in ("http", "https") or not host or target.startswith(self._ignore):
            return False
        labels = host.split(".")
        is_made_up = labels[-1] in _MADE_UP or (len(labels) > 1 and labels[-2] == "example")
        return not is_made_up and not any(sign in target for sign in "{}<>$*|… ")

    async def dead(self, targets: Iterable[str]) -> dict[str, str]:
        """Return those of the targets that lead nowhere, each with why."""
        urls = {target: urldefrag(target)[0] for target in targets}
        now = time.time()
        due = [url for url in dict.fromkeys(urls.values()) if self._is_due(url, now)][:MOST]
        told = dict(zip(due, await asyncio.gather(*(self._ask(url) for url in due)), strict=True))
        online = any(answer not in ("unsure", "no host") for answer in told.values())
        for url, answer in told.items():
            if answer == "no host" and not online:
                continue
            if answer != "unsure":
                self._answers[url] = {"at": now, "said": answer}
        if told:
            _write(self._kept, {url: one for url, one in self._answers.items() if now - one["at"] < 90 * 86_400})
        self.unsure = sum(url not in self._answers for url in set(urls.values()))
        said = {target: self._answers.get(url, {}).get("said", "ok") for target, url in urls.items()}
        return {target: _WHY[answer] for target, answer in said.items() if answer in _WHY}

    def _is_due(self, url: str, now: float) -> bool:
        known = self._answers.get(url)
        return known is None or now - known["at"] > (GOOD_S if known["said"] == "ok" else DEAD_S)

    async def _ask(self, url: str) -> str:
        async with self._hosts[urlsplit(url).netloc], self._all:
            try:
                answer = await self._http.request("HEAD", url, timeout_s=_TIMEOUT_S, any_status=True, body_max=4_096)
                if answer.status in _NO_HEAD:
                    answer = await self._http.request("GET", url, timeout_s=_TIMEOUT_S, any_status=True)
            except HttpTooLarge:
                return "ok"
            except HttpRefused:
                return "ok"  # it leads to this machine or its network, which is nobody's business here
            except HttpUnreachable as error:
                return "no host" if _has_no_host(error) else "unsure"
            except HttpError:
                return "unsure"
        if answer.status in _GONE:
            return str(answer.status)
        return "ok" if answer.status < 400 else "unsure"


_WHY: Final = {
    "404": "which its server does not know (404)",
    "410": "which its server has given up (410)",
    "no host": "whose host has no address",
}


def _name(root: Path) -> str:
    return hashlib.sha256(str(root.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _has_no_host(error: BaseException) -> bool:
    """Whether a request came to nothing because nobody has that name."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return cause.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        cause = cause.__cause__ or cause.__context__
    return False


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The kept answers; a file that is no such thing is as none."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(rows, Mapping):
        return {}
    return {
        url: {"at": float(row["at"]), "said": str(row["said"])}
        for url, row in rows.items()
        if isinstance(row, dict) and isinstance(row.get("at"), int | float) and "said" in row
    }


def _write(path: Path, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep the answers; where that fails they are asked for again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.tmp")
        beside.write_text(json.dumps(rows), encoding="utf-8")
        beside.replace(path)
