"""The doctor: from a failed attempt to a verdict, and from a verdict to what is done about it.

Belongs here: the queue's intake, the ladder of who is asked, enacting, probing, replaying, telling people.
Does not belong here: the rules themselves (engine.rules.verdicts), what is remembered (engine.store), the door to
models.

The doctor recommends and the engine enacts: every change goes through the one writer, guarded by state and fence. Its
own failures are logged and never judged: there is no recursion.
"""
