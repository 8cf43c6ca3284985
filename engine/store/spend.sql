-- name: book
-- Add what a job has spent.
INSERT INTO spent (at, job_id, usd_micros) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET usd_micros = usd_micros + excluded.usd_micros;

-- name: since
-- What each job has spent since a time.
SELECT job_id, sum(usd_micros) FROM spent WHERE at >= ? GROUP BY job_id;

-- name: asked
-- What people and the engine itself have spent on models since a time.
SELECT coalesce(sum(usd_micros), 0) FROM model_use WHERE at >= ? AND job_id = 0;

-- name: overridden
-- Jobs for which a person has set a guard aside.
SELECT job_id FROM overrides WHERE guard = ? AND until > ?;

-- name: override
-- A person sets a guard aside for a job until a time.
INSERT INTO overrides (job_id, guard, until) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until;

-- name: pause_of
-- Who paused a job, and until when.
SELECT coalesce(paused_guard, CASE paused_by WHEN 'guard' THEN 'daily_cost' END), paused_until
FROM jobs WHERE id = ? AND state = 'paused';

-- name: due
-- Pauses that have ended.
SELECT id FROM jobs WHERE paused_until <= ? AND state = 'paused';

-- name: open_breaker
-- A breaker of a job that is not closed.
SELECT b.class, s.name FROM breakers AS b JOIN stages AS s ON s.id = b.stage_id
WHERE s.job_id = ? AND b.state <> 'closed' LIMIT 1;

-- name: next_due
-- When the next pause ends by itself.
SELECT min(at) FROM (
    SELECT min(paused_until) AS at FROM jobs WHERE paused_until IS NOT NULL AND state = 'paused'
    UNION ALL SELECT min(paused_until) FROM stages WHERE paused_until IS NOT NULL
);
