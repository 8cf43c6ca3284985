-- name: hold
-- Why an item may not start, and whether its job is paused.
SELECT i.held, j.state, j.why FROM items AS i JOIN jobs AS j ON j.id = i.job_id WHERE i.id = ?;

-- name: go_first
-- A ready row goes before every other one of its queue.
UPDATE item_stages
SET due_at = (
    SELECT x.due_at FROM item_stages AS x WHERE x.stage_id = :stage AND x.state = 'ready' ORDER BY x.due_at LIMIT 1
) - 1
WHERE item_id = :item AND stage_id = :stage AND state = 'ready';

-- name: place
-- Where an item comes from, for the one that it is merged into.
SELECT title, path, line FROM items WHERE id = ?;
