-- name: find
-- Items of a job by key.
SELECT id, key, state, priority FROM items WHERE job_id = :job AND key IN (SELECT value FROM json_each(:keys));

-- name: stages_now
-- Rows of these items, to be acted on and to be kept in the journal.
SELECT item_id, stage_id, state, due_at, fence, attempts, interruptions, started_at, ended_at, opened_at, answer, why,
    choices
FROM item_stages WHERE item_id IN (SELECT value FROM json_each(?));

-- name: items_now
-- Items as they are, to be kept in the journal.
SELECT id, key, revision, state, closed, closed_by, why, priority, priority_by, accepted_at, snoozed_until,
    title, titled, amended
FROM items WHERE id IN (SELECT value FROM json_each(?));

-- name: open_gate
-- A person lets an item through; guarded by its state.
UPDATE item_stages
SET state = 'ready', opened_at = :now, answer = :answer, why = NULL, choices = NULL, interruptions = 0, postponed = 0, postponed_since = NULL,
    due_at = :due_at
WHERE item_id = :item AND stage_id = :stage AND state = 'waiting';

-- name: accepted
-- When a person accepted these items.
UPDATE items SET accepted_at = :now, why = NULL, updated_at = :now
WHERE id IN (SELECT value FROM json_each(:items));

-- name: dropped
-- Won't do; only a person undoes it.
UPDATE items SET state = 'dropped', why = :why, snoozed_until = NULL, updated_at = :now WHERE id = :id;

-- name: snoozed
-- Look again later.
UPDATE items SET state = 'snoozed', snoozed_until = :until, why = :why, updated_at = :now
WHERE id = :id AND state IN ('pending', 'waiting', 'failed', 'snoozed');

-- name: put_off
-- What would run of a snoozed item comes back with it; what waits for a later time of its own keeps that.
UPDATE item_stages
SET state = 'later',
    due_at = CASE WHEN state = 'later' AND due_at IS NOT :before THEN max(due_at, :until) ELSE :until END
WHERE item_id = :item AND state IN ('ready', 'later');

-- name: come_back
-- What a snooze until that time put off comes back with its item.
UPDATE item_stages SET state = 'ready', due_at = :due_at
WHERE item_id = :item AND state = 'later' AND due_at = :until;

-- name: prioritise
-- A person's priority; it stays whatever the source says.
UPDATE items
SET priority = :priority, priority_by = CASE WHEN :priority IS NULL THEN NULL ELSE 'person' END, updated_at = :now
WHERE id = :id;

-- name: requeue
-- Ready rows move to the place in the queue that their new priority gives.
UPDATE item_stages SET due_at = :due_at WHERE item_id = :item AND state = 'ready';

-- name: retry
-- Failed rows start again with fresh attempts.
UPDATE item_stages
SET state = 'ready', attempts = 0, interruptions = 0, postponed = 0, postponed_since = NULL, due_at = :due_at, why = NULL, ended_at = NULL
WHERE item_id = :item AND stage_id = :stage AND state = 'failed';

-- name: reset_stage
-- A stage that is settled runs again, and so does what depends on it; an attempt of it that runs loses its fence. The
-- results stay until they are replaced.
UPDATE item_stages
SET state = 'blocked', attempts = 0, interruptions = 0, postponed = 0, postponed_since = NULL, due_at = NULL, why = NULL,
    choices = NULL, owner = NULL, lease_until = NULL, started_at = NULL, ended_at = NULL, fence = fence + (state = 'running')
WHERE item_id = :item AND stage_id = :stage AND state <> 'skipped';

-- name: record
-- The journal of what a person did.
INSERT INTO operations (at, name, job_id, args, before) VALUES (:now, :name, :job, :args, :before) RETURNING id;

-- name: last_operation
-- The newest one that can still be taken back; what rules did by themselves only by its number.
SELECT id, name, job_id, before FROM operations
WHERE undone_at IS NULL AND before IS NOT NULL AND (CASE WHEN :id IS NULL THEN name <> 'rules' ELSE id = :id END)
ORDER BY id DESC LIMIT 1;

-- name: undone
-- An operation was taken back.
UPDATE operations SET undone_at = ? WHERE id = ?;

-- name: touched_since
-- Items of a job that a later command changed which was not taken back.
SELECT DISTINCT j.value ->> 'item' FROM operations AS o, json_each(o.before, '$.items') AS j
WHERE o.id > :id AND o.job_id = :job AND o.undone_at IS NULL
UNION
SELECT item_id FROM bulk_items WHERE bulk_id > :id AND taken_back = 0;

-- name: unprioritise
-- The priority as it was, and who gave it.
UPDATE items SET priority = :priority, priority_by = :priority_by, updated_at = :now WHERE id = :item;

-- name: unsnooze
-- The rest of an item as it was before it was snoozed.
UPDATE items SET state = :state, snoozed_until = :snoozed_until, why = :why, updated_at = :now WHERE id = :item;

-- name: put_back
-- The place of a row in time as it was; what has run since has not to run again.
UPDATE item_stages SET state = :state, due_at = :due_at
WHERE item_id = :item AND stage_id = :stage AND fence = :fence AND state IN ('ready', 'later');

-- name: revive
-- Rows that never ran, of stages that came or were enabled while the item was closed or dropped.
UPDATE item_stages SET state = 'blocked', due_at = NULL, why = NULL, ended_at = NULL
WHERE item_id = :item AND state = 'skipped' AND fence = 0 AND why IN (:why, 'the stage is disabled')
    AND stage_id IN (SELECT value FROM json_each(:stages));

-- name: restore_stage
-- Put a row back as it was; what runs meanwhile loses its fence, so that its result is refused.
UPDATE item_stages
SET state = :state, due_at = :due_at, attempts = :attempts, interruptions = :interruptions, started_at = :started_at,
    ended_at = :ended_at, opened_at = :opened_at, answer = :answer, why = :why, choices = :choices, owner = NULL,
    lease_until = NULL, fence = fence + (state = 'running')
WHERE item_id = :item AND stage_id = :stage;

-- name: drop_result
-- What a stage gave that has to run again.
DELETE FROM results WHERE item_id = :item AND stage_id = :stage;

-- name: restore_item
-- What was said of an item as a whole, as it was.
UPDATE items
SET state = :state, closed = :closed, closed_by = :closed_by, why = :why, accepted_at = :accepted_at,
    snoozed_until = :snoozed_until, updated_at = :now
WHERE id = :item;

-- name: retitle
-- What a person calls an item; NULL: as its source calls it.
UPDATE items SET title = :title, titled = :titled, updated_at = :now WHERE id = :item;
