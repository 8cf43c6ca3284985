"""The memory of Rivus: the only place that knows SQLite.

Belongs here: migrations, the one write connection and its writer, named SQL, every transition of an item stage, and the
reads that screens make. Does not belong here: decisions (they are in `engine.rules`), handlers, time or chance that is
not passed in.

Trust: one writer task owns the one connection that writes and checkpoints; all others are `query_only`. A transition is
guarded by state and fence in the same UPDATE that makes it, so a late result of a lost lease changes nothing.
"""
