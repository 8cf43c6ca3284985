"""Where log records go: JSON lines into the state directory; for --serve plain lines to stderr as well."""

from __future__ import annotations

import logging
import sys

from engine.kit.echo import Echo
from engine.kit.logs import Aside, PlainLines, open_log
from engine.store.state_dir import StateDir


def log_to_file(state: StateDir, *, echo: bool = False) -> Echo:
    """Send every record to the state directory's log, and with `echo` to stderr; nothing else prints any more.

    Returns what says further lines on stderr without waiting for whoever reads them.
    """
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(logging.INFO)
    lines = Echo(sys.stderr.fileno())
    lines.setFormatter(PlainLines())
    file = open_log(state.log)
    root.addHandler(Aside(file, lines) if echo else Aside(file))
    logging.captureWarnings(True)
    for noisy in ("asyncio", "markdown_it"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return lines
