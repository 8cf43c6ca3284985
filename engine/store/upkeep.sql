-- name: prune_events
-- Events beyond their keeping time, the oldest first, so many at once.
DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < :before ORDER BY id LIMIT :n);

-- name: event_range
-- The oldest and the newest event.
SELECT min(id), max(id) FROM events;

-- name: event_at
-- The first event at or after a number.
SELECT id, at FROM events WHERE id >= ? ORDER BY id LIMIT 1;

-- name: prune_attempts
-- Failed attempts beyond their keeping time, of items in which nothing is open.
DELETE FROM attempts WHERE id IN (
    SELECT a.id FROM attempts AS a JOIN items AS i ON i.id = a.item_id
    WHERE a.ended_at < :at AND i.state IN ('done', 'skipped', 'dropped', 'gone')
    ORDER BY a.id LIMIT :n
);

-- name: prune_runs
-- Runs beyond their keeping time that no item names as its origin; the newest of each job stays.
DELETE FROM runs WHERE id IN (
    SELECT r.id FROM runs AS r
    WHERE r.ended_at < :at AND r.id < (SELECT max(n.id) FROM runs AS n WHERE n.job_id = r.job_id)
        AND NOT EXISTS (SELECT 1 FROM items AS i WHERE i.origin_run_id = r.id)
    ORDER BY r.id LIMIT :n
);

-- name: prune_operations
-- The journal beyond its keeping time.
DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE at < :at ORDER BY id LIMIT :n);

-- name: prune_answers
-- Answers that do not count any more.
DELETE FROM model_answers WHERE key IN (SELECT key FROM model_answers WHERE expires_at < :at LIMIT :n);

-- name: prune_calls
-- Ended calls beyond their keeping time; their sums stay.
DELETE FROM model_calls WHERE id IN (
    SELECT id FROM model_calls WHERE ended_at IS NOT NULL AND ended_at < :at ORDER BY ended_at LIMIT :n
);

-- name: pruned
-- When all that was old had been deleted.
SELECT value FROM meta WHERE key = 'pruned_at';

-- name: note_pruned
-- It is deleted now.
INSERT INTO meta (key, value) VALUES ('pruned_at', :now) ON CONFLICT DO UPDATE SET value = excluded.value;

-- name: broken_items
-- Items whose fields are not what was written; `rivus db check` reads all of them.
SELECT id FROM items WHERE NOT (json_valid(data) AND json_valid(headings) AND json_valid(signals));

-- name: all_results
-- Every stored output, to be held against its checksum.
SELECT r.item_id, r.stage_id, r.output, r.output_hash FROM results AS r;

-- name: recount_stages
-- Where the counts of stages differ from the rows.
SELECT stage_id, state, sum(n), sum(m) FROM (
    SELECT stage_id, state, n, 0 AS m FROM stage_counts
    UNION ALL SELECT stage_id, state, 0, count(*) FROM item_stages GROUP BY stage_id, state
) GROUP BY stage_id, state HAVING sum(n) <> sum(m);

-- name: recount_items
-- Where the counts of items differ from the rows.
SELECT job_id, source_id, state, sum(n), sum(m) FROM (
    SELECT job_id, source_id, state, n, 0 AS m FROM item_counts
    UNION ALL SELECT job_id, source_id, state, 0, count(*) FROM items GROUP BY job_id, source_id, state
) GROUP BY job_id, source_id, state HAVING sum(n) <> sum(m);
