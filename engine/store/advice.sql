-- Advice of a model on the weights between queues.

-- name: queues
-- The queues that share something and in which something waits, with how many attempts ended well since a time.
SELECT s.id, j.name, s.name, c.n,
    (SELECT x.due_at FROM item_stages AS x WHERE x.stage_id = s.id AND x.state = 'ready' ORDER BY x.due_at LIMIT 1),
    coalesce((SELECT sum(r.n) FROM rollups AS r WHERE r.hour >= :since AND r.stage_id = s.id AND r.outcome = 'done'), 0)
FROM stage_counts AS c JOIN stages AS s ON s.id = c.stage_id JOIN jobs AS j ON j.id = s.job_id
WHERE c.state = 'ready' AND c.n > 0 AND s.removed = 0 AND s.enabled = 1 AND j.state = 'active'
    AND (s.resources <> '[]' OR j.pace IS NOT NULL)
ORDER BY s.id;

-- name: put
-- Keep one piece of advice; the newest counts.
INSERT INTO advice (stage_id, factor, why, model, at, until) VALUES (:stage, :factor, :why, :model, :now, :until)
ON CONFLICT (stage_id) DO UPDATE SET
    factor = excluded.factor, why = excluded.why, model = excluded.model, at = excluded.at, until = excluded.until;

-- name: newest
-- When a model advised last.
SELECT max(at) FROM advice;

-- name: drop
-- Forget all of it.
DELETE FROM advice;

-- name: spent
-- What has been spent on advice since a time, in micro-dollars.
SELECT coalesce(sum(usd_micros), 0) FROM model_use WHERE at >= :since AND purpose = :purpose;
