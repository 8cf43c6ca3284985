-- name: finish
-- Attempts that ended well; only rows that are still this engine's and still at this fence.
UPDATE item_stages
SET state = 'done', owner = NULL, lease_until = NULL, ended_at = :now, interruptions = 0, alone = 0, postponed = 0,
    postponed_since = NULL, why = NULL, answer = NULL
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items))
    AND +state = 'running' AND fence = :fence AND owner = :epoch;

-- name: finish_some
-- The same where not all of them landed: says which did.
UPDATE item_stages
SET state = 'done', owner = NULL, lease_until = NULL, ended_at = :now, interruptions = 0, alone = 0, postponed = 0,
    postponed_since = NULL, why = NULL, answer = NULL
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items))
    AND +state = 'running' AND fence = :fence AND owner = :epoch
RETURNING item_id;

-- name: store_result
-- The only place where output lives; a newer attempt's result replaces an older one's. What a whole group shares comes
-- first, and is bound once: stage, fence, version and time.
INSERT INTO results (
    stage_id, fence, version_id, ended_at, changed_at, item_id, output, output_hash, artifacts, cost_usd_micros
)
VALUES (?1, ?2, ?3, ?4, ?4, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE
SET output = excluded.output, output_hash = excluded.output_hash, artifacts = excluded.artifacts,
    cost_usd_micros = excluded.cost_usd_micros, fence = excluded.fence, ended_at = excluded.ended_at,
    version_id = excluded.version_id,
    changed_at = CASE WHEN output_hash = excluded.output_hash THEN changed_at ELSE excluded.changed_at END;

-- name: leave
-- An attempt ended in another way than done; guarded by state, fence and owner.
UPDATE item_stages
SET state = :state, owner = NULL, lease_until = NULL, ended_at = :now, due_at = :due_at, why = :why, choices = :choices,
    attempts = attempts - :give_back,
    interruptions = CASE :state WHEN 'ready' THEN interruptions ELSE 0 END, alone = 0
WHERE item_id = :item AND stage_id = :stage AND state = 'running' AND fence = :fence AND owner = :epoch;

-- name: patience
-- How often a row was put off, and since when.
SELECT postponed, postponed_since FROM item_stages WHERE item_id = ? AND stage_id = ?;

-- name: put_off_again
-- Its handler has put a row off once more.
UPDATE item_stages SET postponed = postponed + 1, postponed_since = coalesce(postponed_since, :now)
WHERE item_id = :item AND stage_id = :stage;

-- name: record_attempt
-- The evidence of an attempt that did not end well.
INSERT INTO attempts (item_id, stage_id, fence, attempt, started_at, ended_at, error_type, message, traceback)
VALUES (:item, :stage, :fence, :attempt, :started_at, :ended_at, :error_type, :message, :traceback);

-- name: items_done
-- Items of a chain whose last stage is done.
UPDATE items SET state = 'done', why = NULL, updated_at = :now
WHERE id IN (SELECT value FROM json_each(:items)) AND state IN ('pending', 'waiting', 'failed', 'skipped');

-- name: any_resting
-- Whether any item at all is snoozed, or held.
SELECT EXISTS (SELECT 1 FROM items WHERE snoozed_until IS NOT NULL)
    OR EXISTS (SELECT 1 FROM items WHERE held IS NOT NULL);

-- name: resting
-- Which of these items are snoozed, or held.
SELECT id FROM items WHERE id IN (SELECT value FROM json_each(:items)) AND (state = 'snoozed' OR held IS NOT NULL);

-- name: set_why
-- Why an item failed or waits, for lists.
UPDATE items SET why = :why WHERE id = :item;
