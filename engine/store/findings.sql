-- name: known
-- Which of these keys are items already.
SELECT key FROM items WHERE job_id = :job AND key IN (SELECT value FROM json_each(:keys));

-- name: take_over
-- An item of a former key takes the new one, where no item has it yet.
UPDATE items SET key = :key WHERE job_id = :job AND key = :former
AND NOT EXISTS (SELECT 1 FROM items WHERE job_id = :job AND key = :key);

-- name: wait_for_new_key
-- What waited for it under the former key goes on waiting for it.
UPDATE OR IGNORE item_deps SET key = :key WHERE job_id = :job AND key = :former;

-- name: open_ones
-- How many findings of a check are open.
SELECT coalesce(sum(n), 0) FROM item_counts
WHERE job_id = :job AND source_id = :source AND state IN ('pending', 'waiting', 'failed', 'snoozed');

-- name: new_of_run
-- How many new ones a run has brought so far.
SELECT new FROM runs WHERE id = ?;

-- name: hold_back
-- So many more that a limit has kept out.
UPDATE runs SET held_back = held_back + :n WHERE id = :run;

-- name: seen
-- A run has found these.
UPDATE items SET times_seen = times_seen + 1
WHERE id IN (SELECT value FROM json_each(:items)) AND origin = 'check' AND origin_run_id IS NOT :run;

-- name: fixed
-- A complete run that covered these did not find them any more.
UPDATE items SET fixed_at = :now, fixed_run_id = :run WHERE id = :item;

-- name: back
-- What counted as fixed was found again: the same finding, once more.
UPDATE items SET reopened = reopened + 1, fixed_at = NULL, fixed_run_id = NULL WHERE id = :item AND fixed_at IS NOT NULL;
