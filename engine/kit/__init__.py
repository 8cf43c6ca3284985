"""Generic tools that know nothing of jobs and could be a library of their own.

Belongs here: clock, cleaning of text, subprocesses with limits. Does not belong here: anything that names a job, an
item or a stage.
"""
