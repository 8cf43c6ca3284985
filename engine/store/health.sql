-- name: jobs
-- Every configured job, with what holds it and the attempt that runs for the longest time.
SELECT j.id, j.name, j.state, j.why, j.paused_guard, j.paused_at,
    (SELECT coalesce(sum(n), 0) FROM item_counts AS c WHERE c.job_id = j.id AND c.state = 'failed'),
    (SELECT min(x.started_at) FROM stages AS s JOIN item_stages AS x ON x.stage_id = s.id AND x.state = 'running'
     WHERE s.job_id = j.id)
FROM jobs AS j WHERE j.state <> 'removed' ORDER BY j.position, j.id;

-- name: ready
-- The first of each queue of a job: when it became ready, without the slack of its priority.
SELECT x.due_at, i.priority FROM stages AS s
JOIN item_stages AS x ON x.stage_id = s.id AND x.state = 'ready' AND x.due_at = (
    SELECT min(y.due_at) FROM item_stages AS y WHERE y.stage_id = s.id AND y.state = 'ready'
)
JOIN items AS i ON i.id = x.item_id
WHERE s.job_id = ?;

-- name: runs
-- The newest runs of a job.
SELECT state, error FROM runs WHERE job_id = ? AND state <> 'running' ORDER BY id DESC LIMIT 50;

-- name: stale
-- Results of the stages of a job that another version made, and since when the present one is there.
SELECT coalesce(sum(v.results), 0), min(c.made_at) FROM stages AS s
JOIN versions AS c ON c.id = s.version_id
JOIN versions AS v ON v.stage_id = s.id AND v.results > 0 AND coalesce(v.class_id, v.id) <> coalesce(c.class_id, c.id)
WHERE s.job_id = ? AND s.removed = 0;

-- name: flapping
-- Findings of a check that came back, the most restless first.
SELECT key, title, reopened FROM items WHERE source_id = ? AND origin = 'check' AND reopened > 0
ORDER BY reopened DESC, id LIMIT 100;
