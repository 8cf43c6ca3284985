"""jobs.yaml: from a file that a person wrote to values that the engine can trust.

Belongs here: reading YAML safely, the shape of the file, every message about it, and the one place where dotted names
become functions. Does not belong here: what the engine does with a configuration, and anything that waits.

`load.load_project` is the door; `resolve.Resolver` and `find` are cheap to import (neither pydantic nor YAML).
"""
