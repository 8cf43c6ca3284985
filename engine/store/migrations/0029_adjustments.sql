-- Limits that a person has set while the engine runs; they hold until they are dropped.
CREATE TABLE adjustments (
    kind TEXT NOT NULL CHECK (kind = 'slots' OR kind = 'resource' OR kind = 'pace' OR kind = 'resource pace'),
    name TEXT NOT NULL,
    value TEXT NOT NULL, -- a number, or a pace as jobs.yaml writes it
    configured TEXT, -- what jobs.yaml says instead; NULL: nothing, or there is no such limit any more
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
