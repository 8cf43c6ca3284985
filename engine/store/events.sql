-- name: record
-- Write one event.
INSERT INTO events (at, kind, level, actor, job_id, item_id, stage_id, text, ms, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: record_done
-- Attempts of one stage that ended well: pairs of item and milliseconds.
INSERT INTO events (at, kind, level, actor, job_id, item_id, stage_id, ms)
SELECT :now, 'stage.done', 'info', 'engine', :job, value ->> 0, :stage, value ->> 1 FROM json_each(:ended);

-- name: last_at
-- When the last event was written.
SELECT at FROM events WHERE id = (SELECT max(id) FROM events);
