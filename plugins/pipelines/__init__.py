"""Stages of the jobs that come with Rivus, one module a job.

Belongs here: handlers that work on items. Does not belong here: finding the items (`plugins.sources`), and pace,
retries and states (the engine's).
"""
