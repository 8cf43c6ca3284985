-- name: max_id
-- The highest number given so far; the one writer counts on from it.
SELECT coalesce(max(id), 0) FROM items;

-- name: by_keys
-- Items of a job that are known already.
SELECT id, key, origin, title, data, revision, confidence, path, line, headings, state, closed, closed_by, missed,
    given, signals, source_id, titled, amended
FROM items WHERE job_id = :job AND key IN (SELECT value FROM json_each(:keys));

-- name: insert
-- A new item.
INSERT INTO items (
    id, job_id, key, source_id, origin, origin_run_id, parent_id, title, data, revision, confidence, path, line,
    headings, state, closed, closed_by, why, priority, priority_by, given, signals, created_at, updated_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: insert_stage
-- A row for a new item at one stage.
INSERT INTO item_stages (item_id, stage_id, state, due_at, why) VALUES (?, ?, ?, ?, ?);

-- name: merge
-- What the world says now of a known item; state, results and a person's decisions are not touched. A priority that is
-- not given takes none away; what follows from the one given is decided with the other facts.
UPDATE items
SET title = :title, data = :data, revision = :revision, confidence = :confidence, path = :path, line = :line,
    headings = :headings, missed = :missed, signals = :signals, given = coalesce(:priority, given),
    data_given = CASE WHEN amended IS NULL THEN NULL ELSE coalesce(:data_given, data_given) END
WHERE id = :id;

-- name: close
-- The world says that these items are finished.
UPDATE items SET closed = :closed, closed_by = :by, why = :why, updated_at = :now WHERE id = :id;

-- name: reopen
-- A closed or gone item is open again in the world.
UPDATE items SET closed = NULL, closed_by = NULL, why = NULL, missed = 0, updated_at = :now WHERE id = :id;

-- name: close_stages
-- Skip what is left; a running attempt loses its fence.
UPDATE item_stages
SET state = 'skipped', why = :why, ended_at = :now, due_at = NULL, owner = NULL, lease_until = NULL,
    fence = fence + (state = 'running')
WHERE item_id = :item AND state IN ('blocked', 'ready', 'running', 'waiting', 'later', 'failed');

-- name: unskip_stages
-- Skipped rows without a result wait for their turn again.
UPDATE item_stages
SET state = CASE WHEN EXISTS (
        SELECT 1 FROM results AS r WHERE r.item_id = item_stages.item_id AND r.stage_id = item_stages.stage_id
    ) THEN 'done' ELSE 'blocked' END,
    due_at = NULL, attempts = 0, interruptions = 0, postponed = 0, postponed_since = NULL, why = NULL, ended_at = NULL
WHERE item_id = :item AND state = 'skipped';

-- name: reset_stages
-- Every stage of these items runs again from the start; opened gates stay open, a running attempt loses its fence.
UPDATE item_stages
SET state = 'blocked', attempts = 0, interruptions = 0, postponed = 0, postponed_since = NULL, due_at = NULL, why = NULL, choices = NULL, owner = NULL,
    lease_until = NULL, started_at = NULL, ended_at = NULL, fence = fence + (state = 'running')
WHERE item_id = :item;

-- name: drop_results
-- What the stages of an item gave for a revision that is not the present one.
DELETE FROM results WHERE item_id = :item;

-- name: close_gates
-- A person has to look again: gates that were opened are closed.
UPDATE item_stages SET opened_at = NULL WHERE item_id = :item AND opened_at IS NOT NULL;

-- name: known
-- Items that one source gave, by place.
SELECT key, title, data, path, line, headings, state FROM items WHERE source_id = ? ORDER BY path, line, id;

-- name: of_source
-- Items that a complete run of a source should have seen.
SELECT id, job_id, state, closed, missed, path FROM items
WHERE source_id = :source AND origin IN ('scan', 'check') AND state <> 'dropped';

-- name: set_missed
-- Complete runs in a row that did not see these items.
UPDATE items SET missed = :missed WHERE id IN (SELECT value FROM json_each(:items));

-- name: set_gone
-- Not seen in enough complete runs.
UPDATE items SET state = 'gone', why = :why, snoozed_until = NULL, updated_at = :now WHERE id = :id;

-- name: back
-- A gone item was seen again.
UPDATE items SET state = 'pending', closed = NULL, closed_by = NULL, why = NULL, missed = 0, updated_at = :now
WHERE id = :id AND state = 'gone';

-- name: id_of_key
-- The item with this key.
SELECT id FROM items WHERE job_id = ? AND key = ?;

-- name: reconcile_missing
-- Rows that items of a job lack because a stage is new; nothing of a closed, dropped or gone item runs.
SELECT i.id, s.id,
    CASE WHEN i.closed IS NULL AND i.state NOT IN ('dropped', 'gone') THEN 'blocked' ELSE 'skipped' END, NULL, i.why
FROM items AS i JOIN stages AS s ON s.job_id = i.job_id AND s.removed = 0
WHERE i.job_id = :job
    AND NOT EXISTS (SELECT 1 FROM item_stages AS x WHERE x.item_id = i.id AND x.stage_id = s.id);

-- name: reconcile_disabled
-- Rows whose turn it is at a stage that is disabled now are skipped; what runs may finish, the others have their turn.
UPDATE item_stages SET state = 'skipped', why = 'the stage is disabled', ended_at = :now, due_at = NULL
WHERE stage_id = :stage AND state IN ('ready', 'waiting', 'later', 'failed');

-- name: put_back_disabled
-- The same for items that were put back as they were when these stages were enabled.
UPDATE item_stages SET state = 'skipped', why = 'the stage is disabled', ended_at = :now, due_at = NULL
WHERE item_id IN (SELECT value FROM json_each(:items)) AND +stage_id IN (SELECT value FROM json_each(:stages))
    AND +state IN ('ready', 'waiting', 'later', 'failed');

-- name: put_back_enabled
-- And for items that were put back as they were when these stages were disabled.
UPDATE item_stages SET state = 'blocked', due_at = NULL, why = NULL, ended_at = NULL
WHERE item_id IN (SELECT value FROM json_each(:items)) AND +stage_id IN (SELECT value FROM json_each(:stages))
    AND +state = 'skipped' AND why = 'the stage is disabled'
    AND item_id NOT IN (
        SELECT id FROM items
        WHERE id IN (SELECT value FROM json_each(:items)) AND (closed IS NOT NULL OR state IN ('dropped', 'gone'))
    );

-- name: reconcile_enabled
-- Rows that were skipped because their stage was disabled wait for their turn again, unless their item is closed,
-- dropped or gone.
UPDATE item_stages SET state = 'blocked', due_at = NULL, why = NULL, ended_at = NULL
WHERE stage_id = :stage AND state = 'skipped' AND why = 'the stage is disabled'
    AND item_id NOT IN (
        SELECT id FROM items WHERE job_id = :job AND (closed IS NOT NULL OR state IN ('dropped', 'gone'))
    );

-- name: reconcile_after
-- Rows that never ran start anew by what stands before them now; ready ones only where something may stand there.
UPDATE item_stages SET state = 'blocked', due_at = NULL
WHERE stage_id = :stage AND state IN ('ready', 'waiting') AND fence = 0
    AND (:held OR item_stages.state = 'waiting');

-- name: reconcile_ids
-- All items of a job.
SELECT id FROM items WHERE job_id = ? AND state NOT IN ('dropped', 'gone');

-- name: keys_of
-- Keys of items.
SELECT key FROM items WHERE id IN (SELECT value FROM json_each(?));
