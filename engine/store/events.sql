-- name: record
-- Write one event.
INSERT INTO events (at, kind, level, actor, job_id, item_id, stage_id, text, ms, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
