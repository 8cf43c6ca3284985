"""One attempt, from claim to ending: context, run, judge, hand in.

Belongs here: running handlers (on the loop and in worker processes), deadlines, judging what they return. Does not
belong here: SQL, the choice of what is claimed, and what an item means.
"""
