"""The decisions: pure, synchronous, with time and chance passed in.

Belongs here: functions from values to values. Does not belong here: I/O, clocks, randomness, SQL, logging.
"""
