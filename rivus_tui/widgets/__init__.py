"""Pieces of screens: they draw what they are given and say what was pressed.

Belongs here: widgets that know rows, cells and lines. Does not belong here: reading the state file or sending commands.
"""

from __future__ import annotations
