-- name: by_job
-- What models were asked for each job since a time.
SELECT coalesce(j.name, '(asked)'), sum(u.calls), sum(u.cached), sum(u.failed), sum(u.tokens_in), sum(u.tokens_out),
    sum(u.usd_micros), sum(u.saved_usd_micros), sum(u.ms)
FROM model_use AS u LEFT JOIN jobs AS j ON j.id = u.job_id WHERE u.at >= ? GROUP BY u.job_id;

-- name: by_model
-- The same for each model.
SELECT u.model, sum(u.calls), sum(u.cached), sum(u.failed), sum(u.tokens_in), sum(u.tokens_out), sum(u.usd_micros),
    sum(u.saved_usd_micros), sum(u.ms)
FROM model_use AS u WHERE u.at >= ? GROUP BY u.model;

-- name: by_purpose
-- The same for each purpose.
SELECT u.purpose, sum(u.calls), sum(u.cached), sum(u.failed), sum(u.tokens_in), sum(u.tokens_out), sum(u.usd_micros),
    sum(u.saved_usd_micros), sum(u.ms)
FROM model_use AS u WHERE u.at >= ? GROUP BY u.purpose;

-- name: by_quarter
-- The same for each quarter of an hour, of which days are made.
SELECT u.at, sum(u.calls), sum(u.cached), sum(u.failed), sum(u.tokens_in), sum(u.tokens_out), sum(u.usd_micros),
    sum(u.saved_usd_micros), sum(u.ms)
FROM model_use AS u WHERE u.at >= ? GROUP BY u.at;

-- name: calls
-- The newest requests that have ended since a time: what sums do not tell.
SELECT c.ended_at, coalesce(j.name, '(asked)'), i.key, c.backend || '/' || c.mode, c.purpose, c.state,
    c.ended_at - c.at, c.usd_micros, c.is_estimate, coalesce(c.tokens_in, 0), coalesce(c.tokens_out, 0), c.error,
    s.name
FROM model_calls AS c INDEXED BY model_calls_ended
    LEFT JOIN jobs AS j ON j.id = c.job_id LEFT JOIN items AS i ON i.id = c.item_id
    LEFT JOIN stages AS s ON s.id = c.stage_id
WHERE c.ended_at >= :since AND c.state <> 'unsent' ORDER BY c.ended_at DESC LIMIT :limit;

-- name: by_stage
-- What the attempts of each stage have cost since the start of an hour, of those that cost something.
SELECT j.name || '.' || s.name, sum(r.n), sum(iif(r.outcome = 'failed', r.n, 0)), sum(r.usd_micros)
FROM rollups AS r JOIN stages AS s ON s.id = r.stage_id JOIN jobs AS j ON j.id = r.job_id
WHERE r.hour >= ? GROUP BY r.stage_id HAVING sum(r.usd_micros) > 0;

-- name: spent_by_job
-- What each job has spent since a time, on models and else.
SELECT j.name, sum(s.usd_micros) FROM spent AS s JOIN jobs AS j ON j.id = s.job_id WHERE s.at >= ? GROUP BY s.job_id;

-- name: spent_by_quarter
-- What all jobs have spent in each quarter of an hour.
SELECT s.at, sum(s.usd_micros) FROM spent AS s WHERE s.at >= ? GROUP BY s.at;

-- name: asked_by_quarter
-- What was asked on no job's account.
SELECT u.at, sum(u.usd_micros) FROM model_use AS u WHERE u.at >= ? AND u.job_id = 0 GROUP BY u.at;

-- name: budgets
-- Daily limits, those of all jobs first.
SELECT b.job_id, coalesce(j.name, 'all jobs'), b.usd_micros, b.timezone
FROM budgets AS b LEFT JOIN jobs AS j ON j.id = b.job_id ORDER BY b.job_id;

-- name: reserved
-- What requests on their way may cost, and what attempts may be spending, by job.
SELECT job_id, sum(usd_micros) FROM (
    SELECT coalesce(job_id, 0) AS job_id, sum(worst_usd_micros) AS usd_micros
    FROM model_calls INDEXED BY model_calls_open WHERE state = 'reserved' GROUP BY job_id
    UNION ALL SELECT job_id, sum(usd_micros) FROM outlays GROUP BY job_id
) GROUP BY job_id;

-- name: quotas
-- Every configured quota.
SELECT name, per_day, concurrency, pace, used, resets_at, blocked_until, failures, broken_until, why
FROM quotas WHERE removed = 0 ORDER BY name LIKE 'model:%', name;

-- name: on_their_way
-- Requests on their way.
SELECT backend, mode, alias, count(*) FROM model_calls INDEXED BY model_calls_open
WHERE state = 'reserved' GROUP BY backend, mode, alias;

-- name: waits
-- Who waits for a backend, the most urgent first.
SELECT w.alias, w.purpose, j.name, i.key, w.at, w.why, w.until
FROM model_waits AS w LEFT JOIN jobs AS j ON j.id = w.job_id LEFT JOIN items AS i ON i.id = w.item_id
ORDER BY w.urgency, w.id;

-- name: conversations
-- The newest conversations.
SELECT c.name, j.name, i.key, c.alias, c.state, c.why, c.until,
    (SELECT count(*) FROM turns AS t WHERE t.conversation_id = c.id AND t.kind = 'turn' AND t.answer IS NOT NULL),
    (SELECT coalesce(sum(t.usd_micros), 0) FROM turns AS t WHERE t.conversation_id = c.id), c.updated_at
FROM conversations AS c LEFT JOIN jobs AS j ON j.id = c.job_id LEFT JOIN items AS i ON i.id = c.item_id
ORDER BY c.updated_at DESC LIMIT 200;
