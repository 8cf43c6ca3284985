"""What the code of a stage is, read from its source text and never by importing it.

Belongs here: parsing modules into symbols, resolving names, the closure of a stage's function, the fingerprint of each
symbol, and the comparison of two fingerprints. Whatever is not certainly without influence on an output counts as
meaning something. Does not belong here: files, the state file, models, anything that runs the code.
"""
