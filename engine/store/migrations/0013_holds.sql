-- Why nothing of a job may start, as the engine found it last; what follows from rows alone is not stored.
CREATE TABLE holds (
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    gate TEXT NOT NULL,
    why TEXT NOT NULL,
    until INTEGER, -- ms UTC
    PRIMARY KEY (job_id, gate, why)
) STRICT, WITHOUT ROWID;

-- Items that were started since the job was last resumed, held against its limit.
ALTER TABLE jobs ADD COLUMN started INTEGER NOT NULL DEFAULT 0 CHECK (started >= 0);

-- Which guard has paused a job; NULL: not a guard.
ALTER TABLE jobs ADD COLUMN paused_guard TEXT;
UPDATE jobs SET paused_guard = 'daily_cost' WHERE paused_by = 'guard';

-- A stage may be paused by itself.
ALTER TABLE stages ADD COLUMN paused_at INTEGER;
ALTER TABLE stages ADD COLUMN paused_by TEXT;
ALTER TABLE stages ADD COLUMN paused_why TEXT;
ALTER TABLE stages ADD COLUMN paused_until INTEGER;
CREATE INDEX stages_paused_until ON stages (paused_until) WHERE paused_until IS NOT NULL;
