-- name: over
-- Finished items of a job that nothing has changed or seen since :before, and that no other item belongs to or waits
-- for. The newest item stays, so that no number is given twice.
SELECT i.id FROM items AS i
WHERE i.job_id = :job AND i.updated_at < :before AND i.state IN ('done', 'skipped', 'gone')
    AND coalesce(i.last_seen_at, i.created_at) < :before AND i.next_due_at IS NULL
    AND i.id < (SELECT max(id) FROM items)
    AND NOT EXISTS (SELECT 1 FROM items AS c WHERE c.parent_id = i.id)
    AND NOT EXISTS (SELECT 1 FROM item_deps AS d WHERE d.job_id = i.job_id AND d.key = i.key)
ORDER BY i.updated_at LIMIT :n;

-- name: live
-- What their attempts told.
DELETE FROM live WHERE item_id IN (SELECT value FROM json_each(?));

-- name: turns
-- What was said to models about them.
DELETE FROM turns WHERE conversation_id IN (
    SELECT id FROM conversations WHERE item_id IN (SELECT value FROM json_each(?))
);

-- name: conversations
-- The conversations that it was said in.
DELETE FROM conversations WHERE item_id IN (SELECT value FROM json_each(?));

-- name: ballots
-- What members of juries said about them.
DELETE FROM ballots WHERE jury_id IN (SELECT id FROM juries WHERE item_id IN (SELECT value FROM json_each(?)));

-- name: juries
-- What those juries came to.
DELETE FROM juries WHERE item_id IN (SELECT value FROM json_each(?));

-- name: checkpoints
-- What their attempts saved.
DELETE FROM checkpoints WHERE item_id IN (SELECT value FROM json_each(?));

-- name: results
-- Their outputs.
DELETE FROM results WHERE item_id IN (SELECT value FROM json_each(?));

-- name: attempts
-- Their failed attempts.
DELETE FROM attempts WHERE item_id IN (SELECT value FROM json_each(?));

-- name: provenance
-- What led to them.
DELETE FROM provenance WHERE item_id IN (SELECT value FROM json_each(?));

-- name: needs
-- What they waited for.
DELETE FROM item_deps WHERE item_id IN (SELECT value FROM json_each(?));

-- name: incidents
-- Their part in incidents.
DELETE FROM incident_items WHERE item_id IN (SELECT value FROM json_each(?));

-- name: history
-- Their results that were replaced.
DELETE FROM result_history WHERE item_id IN (SELECT value FROM json_each(?));

-- name: stages
-- Their rows.
DELETE FROM item_stages WHERE item_id IN (SELECT value FROM json_each(?));

-- name: items
-- And they themselves.
DELETE FROM items WHERE id IN (SELECT value FROM json_each(?));

-- name: known
-- Which of these items there are.
SELECT id FROM items WHERE id IN (SELECT value FROM json_each(?));

-- name: trim_attempts
-- Failed attempts of an item beyond its newest; none that waits for a verdict.
DELETE FROM attempts WHERE item_id = :item AND judged_at IS NOT NULL AND id <= (
    SELECT id FROM attempts WHERE item_id = :item ORDER BY id DESC LIMIT 1 OFFSET :kept
);

-- name: trim_history
-- Replaced results of an item beyond its newest.
DELETE FROM result_history WHERE item_id = :item AND id <= (
    SELECT id FROM result_history WHERE item_id = :item ORDER BY id DESC LIMIT 1 OFFSET :kept
);
