-- name: record
-- Write one event.
INSERT INTO events (at, kind, level, actor, job_id, item_id, stage_id, text, ms, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: record_done
-- An attempt that ended well. What a whole group shares comes first, and is bound once: time, job and stage.
INSERT INTO events (kind, level, actor, at, job_id, stage_id, item_id, ms)
VALUES ('stage.done', 'info', 'engine', ?1, ?2, ?3, ?, ?);

-- name: last_at
-- When the last event was written.
SELECT at FROM events WHERE id = (SELECT max(id) FROM events);
