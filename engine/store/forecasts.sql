-- name: newest_results
-- Time and cost of some results of a stage; enough for a median.
SELECT s.ended_at - s.started_at, r.cost_usd_micros
FROM item_stages AS s JOIN results AS r ON r.item_id = s.item_id AND r.stage_id = s.stage_id
WHERE s.stage_id = :stage AND s.state = 'done' AND s.started_at IS NOT NULL
ORDER BY s.item_id DESC LIMIT 51;

-- name: stage
-- What limits a stage that runs at all.
SELECT j.name || '.' || s.name, s.concurrency, s.pace, j.pace FROM stages AS s JOIN jobs AS j ON j.id = s.job_id
WHERE s.id = ? AND s.removed = 0 AND s.enabled = 1;

-- name: open_of_job
-- How much of each stage of a job goes on by itself: all that is open, but for what waits for a person.
SELECT c.stage_id, sum(c.n) FROM stage_counts AS c JOIN stages AS s ON s.id = c.stage_id
WHERE s.job_id = :job AND s.removed = 0 AND s.gate IS NULL AND c.state IN ('ready', 'running', 'later', 'blocked')
GROUP BY c.stage_id;
