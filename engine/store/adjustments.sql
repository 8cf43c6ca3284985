-- name: read
-- Every limit that a person has set.
SELECT kind, name, value FROM adjustments ORDER BY kind, name;

-- name: one
-- What is set of one limit.
SELECT value FROM adjustments WHERE kind = ? AND name = ?;

-- name: put
-- Set one.
INSERT INTO adjustments (kind, name, value, at) VALUES (:kind, :name, :value, :now)
ON CONFLICT DO UPDATE SET value = excluded.value, at = excluded.at;

-- name: drop
-- What jobs.yaml says holds again.
DELETE FROM adjustments WHERE kind = ? AND name = ?;

-- name: note
-- What jobs.yaml says of a limit.
UPDATE adjustments SET configured = :configured WHERE kind = :kind AND name = :name;

-- name: journal
-- The journal of what a person did.
INSERT INTO operations (at, name, job_id, args, before) VALUES (:now, 'adjust', NULL, :args, :before) RETURNING id;
