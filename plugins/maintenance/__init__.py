"""What carries an item out: a script, one model call, a jury, or a coding agent in a clone of its own.

Belongs here: handlers of the stages after an item was accepted, and all that runs an agent. Does not belong here:
finding items (`plugins.todos`, `plugins.checks`), and any merge without a person's key.
"""
