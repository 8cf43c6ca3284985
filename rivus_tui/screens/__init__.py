"""The screens: each reads its rows, shows them, and turns keys into commands.

Belongs here: one file for each screen or dialog, and the frame they share. Does not belong here: how rows are drawn
(widgets) and what a command does (the engine).
"""

from __future__ import annotations
