"""The words of Rivus: frozen values and small Protocols that every floor shares.

Belongs here: names, shapes and errors. Does not belong here: decisions, SQL, I/O, or any import beyond the standard
library, because plugins and the whole app stand on this package.
"""
