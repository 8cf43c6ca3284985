"""How fast and how small Rivus is, measured against peers in the same run.

`python -m benchmarks [NAME…]` prints one JSON object for each figure and a table on stderr. A measure is a module with
a function `measures()`; it stands in `benchmarks.__main__`. Absolute figures drift with the machine: what counts is the
ratio to the peer, whose rounds are interleaved with those of Rivus. Nothing here is part of the tests, and nothing
decides about items.

Belongs here: what starts, times and counts. Does not belong here: judging quality (`benchmarks.judge`), and anything
that the engine or the app would import.
"""
