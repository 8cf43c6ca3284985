-- What a model has advised about the weight of a queue; rules compute the rest of it.
CREATE TABLE advice (
    stage_id INTEGER PRIMARY KEY REFERENCES stages (id),
    factor REAL NOT NULL CHECK (factor BETWEEN 0.5 AND 2.0),
    why TEXT NOT NULL,
    model TEXT NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
