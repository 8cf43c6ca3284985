-- name: claim
-- Claim up to :n ready rows of one stage, the most due first; walks the partial index, whatever the table's size.
UPDATE item_stages
SET state = 'running', fence = fence + 1, attempts = attempts + 1, owner = :epoch, lease_until = :lease_until,
    started_at = :now, ended_at = NULL, due_at = NULL, why = NULL, choices = NULL
WHERE (item_id, stage_id) IN (
    SELECT item_id, stage_id FROM item_stages
    WHERE stage_id = :stage AND state = 'ready'
    ORDER BY due_at
    LIMIT :n
)
RETURNING item_id, fence, attempts, answer;

-- name: has_ready
-- Whether anything queues at a stage.
SELECT EXISTS (SELECT 1 FROM item_stages WHERE stage_id = ? AND state = 'ready');

-- name: queued
-- Those of the stages of a JSON array at which anything queues.
SELECT j.value FROM json_each(?) AS j
WHERE EXISTS (SELECT 1 FROM item_stages WHERE stage_id = j.value AND state = 'ready');

-- name: claim_next
-- The stage after one that has just been done, for items whose row there has waited for nothing else.
UPDATE item_stages
SET state = 'running', fence = fence + 1, attempts = attempts + 1, owner = :epoch, lease_until = :lease_until,
    started_at = :now
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items)) AND +state = 'blocked'
RETURNING item_id, fence, attempts;

-- name: claim_next_first
-- The same for rows that never ran; the number of changed rows says whether all of them are claimed, at fence 1.
UPDATE item_stages
SET state = 'running', fence = 1, attempts = 1, owner = :epoch, lease_until = :lease_until, started_at = :now
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items))
    AND +state = 'blocked' AND fence = 0 AND attempts = 0;

-- name: items
-- What a handler gets of the items that were claimed.
SELECT id, key, title, data, path, line, headings, priority, signals FROM items WHERE id IN (SELECT value FROM json_each(?));

-- name: upstream
-- Outputs of the stages of these items that are done; one that was skipped since hands nothing on.
SELECT r.item_id, r.stage_id, r.output, r.output_hash
FROM results AS r JOIN item_stages AS s ON s.item_id = r.item_id AND s.stage_id = r.stage_id AND +s.state = 'done'
WHERE r.item_id IN (SELECT value FROM json_each(:items)) AND r.stage_id IN (SELECT value FROM json_each(:stages));

-- name: fail_damaged
-- Claimed rows that cannot run, because a result before them is not what was written.
UPDATE item_stages
SET state = 'failed', due_at = NULL, owner = NULL, lease_until = NULL, ended_at = :now, why = :why
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items)) AND +state = 'running' AND owner = :epoch;

-- name: heartbeat
-- Extend the leases of what this engine knows to be alive.
UPDATE item_stages SET lease_until = :lease_until
WHERE (item_id, stage_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:alive))
    AND +state = 'running' AND owner = :epoch;

-- name: orphans
-- Rows whose engine is gone, or (while running) whose lease ended.
SELECT item_id, stage_id, fence, interruptions, alone FROM item_stages
WHERE state = 'running' AND (owner <> :epoch OR lease_until < :now);

-- name: reclaim
-- Give an orphan back to the queue; guarded by state and fence. The interrupted attempt counts as an interruption, not
-- as an attempt that failed.
UPDATE item_stages
SET state = :state, owner = NULL, lease_until = NULL, due_at = CASE WHEN :state IN ('ready', 'later') THEN :now END,
    ended_at = :now, interruptions = interruptions + 1, alone = 0, attempts = attempts - 1, why = :why
WHERE item_id = :item AND stage_id = :stage AND state = 'running' AND fence = :fence;

-- name: wake
-- Rows whose time has come go back to the queue; the caller takes those out again whose item is held.
UPDATE item_stages
SET state = 'ready',
    due_at = :now + coalesce(
        (SELECT CASE priority WHEN 0 THEN :p0 WHEN 1 THEN :p1 WHEN 2 THEN :p2 WHEN 3 THEN :p3 END
         FROM items WHERE id = item_id),
        :p_none
    )
WHERE state = 'later' AND due_at <= :now AND interruptions < 2
RETURNING item_id;

-- name: held
-- Which of these items may not start.
SELECT id FROM items WHERE id IN (SELECT value FROM json_each(?)) AND held IS NOT NULL;

-- name: next_later
-- When the next row comes back; one that may only run alone is there already when its time has come.
SELECT min(due_at) FROM item_stages WHERE state = 'later' AND (interruptions < 2 OR due_at > :now);

-- name: next_snoozed
-- When the next snoozed item comes back.
SELECT min(snoozed_until) FROM items WHERE snoozed_until IS NOT NULL;

-- name: snoozed_over
-- Snoozed items whose time has come.
SELECT id FROM items WHERE snoozed_until <= ?;

-- name: left
-- Whether one of :stages runs, or one of :startable has anything to run now, or until :soon.
SELECT EXISTS (
    SELECT 1 FROM json_each(:stages) AS j JOIN item_stages AS s ON s.stage_id = j.value WHERE s.state = 'running'
) OR EXISTS (
    SELECT 1 FROM json_each(:startable) AS j JOIN item_stages AS s ON s.stage_id = j.value WHERE s.state = 'ready'
) OR EXISTS (
    SELECT 1 FROM item_stages AS s
    WHERE s.state = 'later' AND s.due_at <= :soon AND s.stage_id IN (SELECT value FROM json_each(:startable))
);

-- name: running_fence
-- The fence of a row, while it runs.
SELECT fence FROM item_stages WHERE item_id = ? AND stage_id = ? AND state = 'running';
