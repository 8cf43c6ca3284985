"""Discoveries that list what is there: files and folders.

Belongs here: one module a source, which yields candidates and says what it covered. Does not belong here: working on
the items (`plugins.pipelines`), remembering what was seen, and deciding what is gone (the engine's).
"""
