"""Recurring checks: discoveries whose candidates are findings that become items of another job.

Belongs here: one module a check, with the rules it is made of beside it. Does not belong here: what becomes of a
finding (that is the other job's pipeline), and anything that changes a file.
"""
