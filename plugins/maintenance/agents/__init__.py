"""Coding agents as data: any command that works in a folder, run in a clone of its own, judged by what it left there.

An agent is not trusted. `jail` confines it where the system can, `session` bounds its time, output and processes,
`clone` keeps it out of the user's checkout, `evidence` believes the diff and not the agent's words.

Belongs here: all that is the same whatever an agent works on. Does not belong here: which items an agent gets, and what
is done with its work.
"""
