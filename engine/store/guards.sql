-- name: counts
-- Items of a job by state.
SELECT state, sum(n) FROM item_counts WHERE job_id = ? GROUP BY state;

-- name: aside_until
-- Until when a person has set a guard aside for a job.
SELECT until FROM overrides WHERE job_id = :job AND guard = :guard AND until > :now;

-- name: started
-- Items of a job were started, in the transaction that claimed them.
UPDATE jobs SET started = started + :n WHERE name = :job;

-- name: is_through
-- Whether a job has started all that its limit allows, and of its stages nothing runs, and nothing queues behind the
-- first ones.
SELECT EXISTS (SELECT 1 FROM jobs WHERE id = :job AND started >= :limit) AND NOT EXISTS (
    SELECT 1 FROM stage_counts
    WHERE n > 0 AND (
        (state = 'running' AND stage_id IN (SELECT value FROM json_each(:stages)))
        OR (state = 'ready' AND stage_id IN (SELECT value FROM json_each(:behind)))
    )
);

-- name: pending
-- How many items of a job are pending.
SELECT coalesce(sum(n), 0) FROM item_counts WHERE job_id = ? AND state = 'pending';
