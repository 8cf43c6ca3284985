-- What reports read: attempts by hour, job, stage, how they ended and how long they took (rules/rollup.py), counted in the
-- transaction that ends them. Its size follows from hours and stages, not from items.
CREATE TABLE rollups (
    hour INTEGER NOT NULL, -- its start, ms UTC
    job_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    n INTEGER NOT NULL,
    ms INTEGER NOT NULL,
    usd_micros INTEGER NOT NULL,
    PRIMARY KEY (hour, job_id, stage_id, outcome, bucket)
) STRICT, WITHOUT ROWID;
