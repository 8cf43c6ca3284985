"""The jobs engine of Rivus: headless, embeddable, and unaware of any front end or plugin.

Belongs here: everything that finds, claims, runs, stores and explains work. Does not belong here: widgets, command line
parsing, and anything that knows what an item means (that is a plugin).
"""

from __future__ import annotations

__version__ = "0.1.0"
