-- name: finished
-- A recurring item has come to an end, or is under way again.
UPDATE items
SET last_completed_at = CASE WHEN :completed THEN :at ELSE last_completed_at END, next_due_at = :next_due_at
WHERE id = :id;

-- name: ended
-- Those of these items that have come to an end by themselves, with when.
SELECT id, job_id, state, coalesce(last_completed_at, updated_at)
FROM items
WHERE id IN (SELECT value FROM json_each(?)) AND closed IS NULL AND state IN ('done', 'skipped', 'failed');

-- name: told
-- What an item says of itself; the later wins.
SELECT data, signals FROM items WHERE id = ?;

-- name: forget
-- These items do not come back by themselves.
UPDATE items SET next_due_at = NULL WHERE id IN (SELECT value FROM json_each(?)) AND next_due_at IS NOT NULL;

-- name: due
-- Items whose time to come back has come.
SELECT id, job_id FROM items WHERE next_due_at <= ?;

-- name: next_due
-- When the next item comes back.
SELECT min(next_due_at) FROM items WHERE next_due_at IS NOT NULL;

-- name: reset_stages
-- Every stage of an item runs again; opened gates stay open. What runs (an item that failed at another branch) ends.
UPDATE item_stages
SET state = 'blocked', attempts = 0, interruptions = 0, postponed = 0, postponed_since = NULL, due_at = NULL, why = NULL, choices = NULL, owner = NULL,
    lease_until = NULL, started_at = NULL, ended_at = NULL, fence = fence + (state = 'running')
WHERE item_id = :item;

-- name: later_sooner
-- The clock was set back: what was put off by it waits as long as was meant.
UPDATE item_stages SET due_at = max(:now, due_at - :by) WHERE state = 'later' AND due_at > :now;

-- name: slowed_sooner
-- What was asked to go slower, as well.
UPDATE slowed SET until = max(:now, until - :by) WHERE until > :now;

-- name: jobs_sooner
-- Pauses that end by themselves; a time that a person gave is meant as it was given.
UPDATE jobs SET paused_until = max(:now, paused_until - :by) WHERE paused_until > :now AND paused_by <> 'person';

-- name: stages_sooner
-- The same of single stages.
UPDATE stages SET paused_until = max(:now, paused_until - :by) WHERE paused_until > :now AND paused_by <> 'person';

-- name: quotas_sooner
-- Models that asked to wait, or failed too often.
UPDATE quotas SET
    blocked_until = CASE WHEN blocked_until > :now THEN max(:now, blocked_until - :by) ELSE blocked_until END,
    broken_until = CASE WHEN broken_until > :now THEN max(:now, broken_until - :by) ELSE broken_until END
WHERE blocked_until > :now OR broken_until > :now;

-- name: coming
-- Items that come back in the future.
SELECT id, job_id FROM items WHERE next_due_at > ?;

-- name: due_by
-- An item comes back at this time at the latest.
UPDATE items SET next_due_at = min(next_due_at, :by) WHERE id = :id;
