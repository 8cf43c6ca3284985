-- Spend and guards: what each job has spent when, pauses that end by themselves, and a person's word over a guard.
CREATE TABLE spent (
    at INTEGER NOT NULL, -- start of a quarter of an hour: every time zone's midnight is one
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    usd_micros INTEGER NOT NULL CHECK (usd_micros >= 0),
    PRIMARY KEY (at, job_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE jobs ADD COLUMN paused_until INTEGER; -- the pause ends by itself
CREATE INDEX jobs_paused_until ON jobs (paused_until) WHERE paused_until IS NOT NULL;

CREATE TABLE overrides ( -- a person resumed a job that a guard had paused
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    guard TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (job_id, guard)
) STRICT, WITHOUT ROWID;
