"""A small post office for `rivus demo`: every state there is, without a network and without spending anything.

Belongs here: its functions, and the folder that `rivus demo` copies. Does not belong here: what a real job uses.
"""
