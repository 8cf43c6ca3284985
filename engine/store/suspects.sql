-- name: any
-- Whether a row waits for a run of its own, now or at its time.
SELECT EXISTS (SELECT 1 FROM item_stages WHERE state = 'later' AND interruptions >= 2);

-- name: running
-- Whether one of them runs.
SELECT EXISTS (SELECT 1 FROM item_stages WHERE state = 'running' AND interruptions >= 2);

-- name: next
-- The one that waits longest of those that may start now.
SELECT item_id, stage_id FROM item_stages
WHERE state = 'later' AND interruptions >= 2 AND due_at <= :now AND stage_id IN (SELECT value FROM json_each(:stages))
ORDER BY due_at LIMIT 1;

-- name: is_held
-- Whether nothing of an item may start.
SELECT held IS NOT NULL FROM items WHERE id = ?;

-- name: claim
-- It runs; `alone` remembers that nothing else does.
UPDATE item_stages
SET state = 'running', fence = fence + 1, attempts = attempts + 1, owner = :epoch, lease_until = :lease_until,
    started_at = :now, ended_at = NULL, due_at = NULL, why = NULL, choices = NULL, alone = :alone
WHERE item_id = :item AND stage_id = :stage AND state = 'later'
RETURNING item_id, fence, attempts, answer;

-- name: accompany
-- Others run beside it from now on.
UPDATE item_stages SET alone = 0 WHERE item_id = :item AND stage_id = :stage AND fence = :fence AND alone = 1;
