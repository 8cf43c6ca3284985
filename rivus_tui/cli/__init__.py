"""The command line, the only place where front end and engine meet.

Belongs here: arguments, exit codes, printing, opening the app on an engine. Does not belong here: decisions, SQL,
widgets.
Each verb is a module of its own that is imported when it is used, so that `rivus --help` costs what click costs.
"""
