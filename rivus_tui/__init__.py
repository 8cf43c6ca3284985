"""The control room: a Textual app that shows what the engine does and passes on what a person decides.

Belongs here: screens, widgets, keys, the wording of states, and the command line that puts engine and app together.
Does not belong here: decisions about items, SQL, or anything that needs more of the engine than its contracts.
"""

from __future__ import annotations
