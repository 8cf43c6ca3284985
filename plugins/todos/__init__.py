"""TODO files become items: what stands in them, which item is which after an edit, and what a person needs to decide.

`lines` reads one text, `places` finds the files, `match` follows items over edits; all three are pure or only read.
`scan` is the discovery, `context` and `brief` are stages, `commands` serves the command line.

Belongs here: what is particular to TODO files. Does not belong here: what holds for items of any kind (gates, retries,
what becomes of an item that is gone), and anything that asks a model.

Trust: every word in a TODO file is data from a stranger. It is cleaned where it enters (`lines`) and never becomes a
pattern, a shell word or markup.
"""
