"""Idle probes: how long the user has done nothing, from a file or from the terminals.

Belongs here: plain functions that look and tell. Does not belong here: what follows from it.
"""
