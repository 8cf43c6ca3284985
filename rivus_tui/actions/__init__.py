"""Every action a person can take: the one source of keys, footers, help, palette, README and completion.

A letter means the same on every screen (`meaning`); an action that changes something names the command line that does
the same. Each screen has one file here, of the name of its `KIND`, with `ACTIONS` and `FOOTER`; a screen runs an action
through a method of the name `do_ID`.

Belongs here: what can be done on which screen, and by which key. Does not belong here: Textual, rows, and doing it.
"""

from __future__ import annotations
