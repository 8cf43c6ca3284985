-- name: stale
-- Versions with results that are not the same as what their stage runs now, with what was said last; most first.
SELECT j.name, s.name, j.internal, v.hash, c.hash, v.results, v.id, c.id, s.id, j.id,
    (SELECT max(g.id) FROM judgements AS g
     WHERE g.stage_id = s.id AND g.old_id = v.id AND g.new_id = c.id AND g.revoked_at IS NULL)
FROM stages AS s
JOIN jobs AS j ON j.id = s.job_id
JOIN versions AS v ON v.stage_id = s.id AND v.results > 0
JOIN versions AS c ON c.id = s.version_id
WHERE v.class_id <> c.class_id AND s.removed = 0
ORDER BY v.results DESC, v.id;

-- name: unknown
-- Stages with results of which nobody knows what made them.
WITH made AS MATERIALIZED ( -- counted once
    SELECT s.id, s.name, s.job_id, s.version_id,
        (SELECT count(*) FROM results AS r WHERE r.stage_id = s.id AND r.version_id IS NULL) AS n
    FROM stages AS s WHERE s.removed = 0
)
SELECT j.name, m.name, j.internal, c.hash, m.n, m.id, j.id
FROM made AS m
JOIN jobs AS j ON j.id = m.job_id
JOIN versions AS c ON c.id = m.version_id
WHERE m.n > 0;

-- name: judgement
-- What was said of a pair.
SELECT verdict, by, why, confidence, cost_usd_micros, at FROM judgements WHERE id = ?;

-- name: blessings
-- Versions that count as the same because of what was said since a time, newest first.
SELECT g.id, j.name, s.name, j.internal, o.hash, n.hash, g.verdict, g.by, g.why, o.results, g.at
FROM judgements AS g
JOIN stages AS s ON s.id = g.stage_id
JOIN jobs AS j ON j.id = s.job_id
JOIN versions AS o ON o.id = g.old_id
JOIN versions AS n ON n.id = g.new_id
WHERE g.revoked_at IS NULL AND g.verdict <> 'semantic' AND g.at >= :since
ORDER BY g.id DESC LIMIT :limit;

-- name: stages_of_job
-- Stages of a job with what each stands after, and how many rows of it are done.
SELECT s.id, s.name, s.after, coalesce(c.n, 0)
FROM stages AS s LEFT JOIN stage_counts AS c ON c.stage_id = s.id AND c.state = 'done'
WHERE s.job_id = ? AND s.removed = 0 ORDER BY s.position;
