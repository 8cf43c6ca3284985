"""The one door to the models: every call of any part goes through it, counted, limited, checkpointed and checked.

Belongs here: backends, wrappers around them (cache, ledger, quota, pace, budget, deadline, breaker), structured
answers, conversations, juries. Does not belong here: SQL, what a question is about, and what its answer means.
"""
