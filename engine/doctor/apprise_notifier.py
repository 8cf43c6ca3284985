"""The notifier: apprise, which knows Pushover, ntfy, mail and a hundred others; imported when something is sent."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any, Final

from engine.kit.tasks import beside

_NAME: Final = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


class NotSent(Exception):
    """No service took the message."""


class AppriseNotifier:
    """Sends to every address."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = tuple(addresses)
        self._apprise: Any = None

    async def tell(self, title: str, text: str) -> None:
        """Send one message in a thread; NotSent when no service took it."""
        if not await beside(self._send, title, text):
            raise NotSent("no service took the message; `rivus events` shows it")

    def _send(self, title: str, text: str) -> bool:
        if self._apprise is None:
            import apprise

            asset = apprise.AppriseAsset(async_mode=False, app_id="Rivus", app_desc="Rivus")
            made = apprise.Apprise(asset=asset)
            for address in self._addresses:
                made.add(with_secrets(address))
            self._apprise = made
        return bool(self._apprise.notify(body=text, title=title))


def with_secrets(address: str) -> str:
    """Put values of the environment in for `${NAME}`."""
    return _NAME.sub(lambda match: os.environ.get(match[1], ""), address)
