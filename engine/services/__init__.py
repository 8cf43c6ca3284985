"""What the engine does beside running attempts, one loop each: discovery, timers, commands.

Belongs here: small services that are started and stopped by the runtime and change state through the writer only. Does
not belong here: SQL, running handlers, anything a screen decides.
"""
