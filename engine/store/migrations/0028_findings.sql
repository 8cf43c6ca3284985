-- The life of a finding: how often it was seen, by which run it counts as fixed, how often it came back.
ALTER TABLE items ADD COLUMN times_seen INTEGER NOT NULL DEFAULT 1; -- runs of a check that found it
ALTER TABLE items ADD COLUMN fixed_at INTEGER;
ALTER TABLE items ADD COLUMN fixed_run_id INTEGER;
ALTER TABLE items ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0; -- times it was found again after it was fixed
ALTER TABLE runs ADD COLUMN held_back INTEGER NOT NULL DEFAULT 0; -- new findings that a limit kept out
ALTER TABLE runs ADD COLUMN scope TEXT; -- JSON list of the paths that a run covered, the first hundred
