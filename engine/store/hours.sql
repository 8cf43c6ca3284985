-- name: note
-- How all jobs stand, as the last word on this hour; what has not changed is not written.
INSERT INTO job_hours (hour, job_id, state, ready, running, later, done, failed, waiting)
SELECT
    :hour, j.id, j.state,
    (SELECT coalesce(sum(c.n), 0) FROM stages AS s JOIN stage_counts AS c ON c.stage_id = s.id
     WHERE s.job_id = j.id AND c.state = 'ready'),
    (SELECT coalesce(sum(c.n), 0) FROM stages AS s JOIN stage_counts AS c ON c.stage_id = s.id
     WHERE s.job_id = j.id AND c.state = 'running'),
    (SELECT coalesce(sum(c.n), 0) FROM stages AS s JOIN stage_counts AS c ON c.stage_id = s.id
     WHERE s.job_id = j.id AND c.state = 'later'),
    coalesce(sum(i.n) FILTER (WHERE i.state = 'done'), 0),
    coalesce(sum(i.n) FILTER (WHERE i.state = 'failed'), 0),
    coalesce(sum(i.n) FILTER (WHERE i.state = 'waiting'), 0)
FROM jobs AS j
LEFT JOIN item_counts AS i ON CASE WHEN j.is_check THEN i.source_id ELSE i.job_id END = j.id
WHERE j.state <> 'removed'
GROUP BY j.id
ON CONFLICT DO UPDATE SET
    state = excluded.state, ready = excluded.ready, running = excluded.running, later = excluded.later,
    done = excluded.done, failed = excluded.failed, waiting = excluded.waiting
WHERE (state, ready, running, later, done, failed, waiting) IS NOT
    (excluded.state, excluded.ready, excluded.running, excluded.later, excluded.done, excluded.failed,
     excluded.waiting);

-- name: stood
-- How jobs stood, hour by hour.
SELECT j.name, h.hour, h.state, h.ready, h.running, h.later, h.done, h.failed, h.waiting
FROM job_hours AS h JOIN jobs AS j ON j.id = h.job_id WHERE h.hour >= :since ORDER BY h.hour;

-- name: settled
-- How many item stages of each job were settled in each hour.
SELECT j.name, r.hour, sum(r.n) FROM rollups AS r JOIN jobs AS j ON j.id = r.job_id
WHERE r.hour >= :since AND r.outcome IN ('done', 'skipped') GROUP BY j.id, r.hour;

-- name: spent
-- What each job has spent in each hour.
SELECT j.name, s.at - s.at % 3600000, sum(s.usd_micros) FROM spent AS s JOIN jobs AS j ON j.id = s.job_id
WHERE s.at >= :since GROUP BY 1, 2;

-- name: prune
-- Hours beyond their keeping time.
DELETE FROM job_hours WHERE hour < :at;
