-- Pace and resources: what limits a stage, for screens, and how much each bucket has given.
ALTER TABLE jobs ADD COLUMN pace TEXT; -- as written, such as 60/h
ALTER TABLE stages ADD COLUMN pace TEXT;
ALTER TABLE stages ADD COLUMN resources TEXT NOT NULL DEFAULT '[]'; -- JSON list of names

DROP INDEX item_stages_later;
CREATE INDEX item_stages_later ON item_stages (stage_id, due_at) WHERE state = 'later';
CREATE INDEX item_stages_later_due ON item_stages (due_at) WHERE state = 'later';

CREATE TABLE resources (
    name TEXT PRIMARY KEY,
    capacity INTEGER NOT NULL CHECK (capacity > 0),
    pace TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE buckets (
    name TEXT PRIMARY KEY, -- stage:JOB.STAGE, job:JOB or resource:NAME
    tat REAL NOT NULL, -- theoretical arrival time, ms UTC
    next_at INTEGER NOT NULL -- when the next grant was free, as of the last one
) STRICT, WITHOUT ROWID;
