"""Judgements of quality: how often a decision that cannot be proven right is right, on labelled data.

`python -m benchmarks.judge` prints one JSON object for each. A judgement is a module of this package with a function
`judgements()`; add it to `MODULES` in `__main__`. Labels are made by hand, before the code's answer is looked at.
"""
