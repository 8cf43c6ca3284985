-- name: add
-- Attempts that ended in this group, counted already: one statement, whatever their number.
INSERT INTO rollups (hour, job_id, stage_id, outcome, bucket, n, ms, usd_micros)
SELECT :hour, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
FROM json_each(:rows) WHERE 1
ON CONFLICT DO UPDATE
SET n = n + excluded.n, ms = ms + excluded.ms, usd_micros = usd_micros + excluded.usd_micros;

-- name: ended
-- How attempts of each stage ended in a span of time.
SELECT stage_id, outcome, bucket, sum(n), sum(usd_micros)
FROM rollups WHERE hour >= :since GROUP BY stage_id, outcome, bucket;

-- name: recent
-- How many attempts of each stage settled it since a time, and in which hour the first of them did.
SELECT stage_id, sum(n), min(hour)
FROM rollups WHERE hour >= :since AND outcome IN ('done', 'skipped') GROUP BY stage_id;

-- name: spent
-- What each job has spent, by quarters of an hour.
SELECT job_id, at, usd_micros FROM spent WHERE at >= :since ORDER BY at;

-- name: models
-- What each job has asked of each model.
SELECT job_id, model, sum(calls), sum(failed), sum(usd_micros) FROM model_use WHERE at >= :since
GROUP BY job_id, model ORDER BY 5 DESC;

-- name: prune
-- Hours beyond their keeping time.
DELETE FROM rollups WHERE hour < :at;
