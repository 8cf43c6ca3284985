-- name: reserved
-- What requests on their way may cost, by job.
SELECT job_id, sum(worst_usd_micros) FROM model_calls INDEXED BY model_calls_open WHERE state = 'reserved'
GROUP BY job_id;

-- name: is_overridden
-- Whether a person has set this guard aside for a job.
SELECT 1 FROM overrides WHERE job_id = ? AND guard = 'daily_cost' AND until > ?;

-- name: outlays
-- What attempts may be spending just now, by job.
SELECT job_id, sum(usd_micros) FROM outlays GROUP BY job_id;
