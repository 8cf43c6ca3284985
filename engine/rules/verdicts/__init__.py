"""From a failure to a verdict, by rules alone.

Belongs here: taking a failure apart, its signature, the rules with their examples, the order in which evidence counts.
Does not belong here: anything that remembers (the store), asks a model or acts (engine.doctor).

The cause decides, not the symptom. Evidence is ranked by how sure it is, over the whole chain of exceptions: plain
statements about money, limits, logins and availability; then types, error numbers and codes; then HTTP statuses; then
general phrases; then types of the language, which say little. Within a rank the order of the table decides.
"""
