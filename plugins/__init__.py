"""What Rivus can do out of the box: discoveries, checks and handlers.

Belongs here: functions that find items and work on them, one package per subject. They stand on `engine.contracts` and
`engine.kit` only. Does not belong here: anything that schedules, stores or shows items. A project's own `plugins`
folder extends this package's path, so that its modules are named the same way.
"""
