-- name: ids
-- All items that match, by their numbers; conditions follow.
SELECT i.id FROM items AS i

-- name: jobs
-- How many of these items each job has.
SELECT j.name, count(*) FROM items AS i JOIN jobs AS j ON j.id = i.job_id
WHERE i.id IN (SELECT value FROM json_each(:items)) GROUP BY j.id;

-- name: titles
-- What these items are called.
SELECT title FROM items WHERE id IN (SELECT value FROM json_each(:items)) ORDER BY id;

-- name: would_run
-- Rows of these items that would run once they are let go on, by stage: those that stand still, and what comes after.
SELECT stage_id, count(*) FROM item_stages
WHERE item_id IN (SELECT value FROM json_each(:items)) AND state IN ('failed', 'waiting', 'blocked')
GROUP BY stage_id;

-- name: runs_again
-- Rows of these items that would run again, by stage.
SELECT stage_id, count(*) FROM item_stages
WHERE item_id IN (SELECT value FROM json_each(:items)) AND stage_id IN (SELECT value FROM json_each(:again))
    AND state <> 'skipped'
GROUP BY stage_id;

-- name: newest
-- The newest command on a set that goes on, or has ended since a time.
SELECT b.id, o.name, b.total, b.looked, b.changed, b.restored, b.state, b.why, b.begun_at, b.ended_at
FROM bulks AS b JOIN operations AS o ON o.id = b.id
WHERE b.ended_at IS NULL OR b.ended_at >= :since ORDER BY b.ended_at IS NULL DESC, b.id DESC LIMIT 1;

-- name: one
-- One command on a set.
SELECT b.id, o.name, b.total, b.looked, b.changed, b.restored, b.state, b.why, b.begun_at, b.ended_at
FROM bulks AS b JOIN operations AS o ON o.id = b.id WHERE b.id = ?;
