-- name: start
-- A discovery or check begins, with the code that it runs.
INSERT INTO runs (job_id, state, started_at, version)
VALUES (:job, 'running', :now, (SELECT code FROM jobs WHERE id = :job)) RETURNING id;

-- name: progress
-- How far a run is.
UPDATE runs SET found = found + :found, new = new + :new, changed = changed + :changed WHERE id = :id AND state = 'running';

-- name: finish
-- A run ended; guarded by its state.
UPDATE runs
SET state = :state, ended_at = :now, gone = :gone, problems = :problems, complete = :complete, covered = :covered,
    error = :error, scope = :scope
WHERE id = :id AND state = 'running';

-- name: cut_dead
-- Runs of an engine that is gone.
UPDATE runs SET state = 'cut', ended_at = :now WHERE state = 'running';

-- name: get
-- One run.
SELECT id, job_id, state, started_at, ended_at, found, new, changed, gone, problems, error, held_back FROM runs WHERE id = ?;
