-- name: finished
-- Items that came through the last stage of their job, by hours from :hour on.
SELECT j.name, sum(r.n) FROM rollups AS r JOIN jobs AS j ON j.id = r.job_id
WHERE r.hour >= :hour AND r.outcome = 'done' AND r.stage_id IN (
    SELECT s.id FROM stages AS s WHERE s.removed = 0 AND s.position = (
        SELECT max(l.position) FROM stages AS l WHERE l.job_id = s.job_id AND l.removed = 0
    )
)
GROUP BY j.id;

-- name: given_up
-- Attempts after which an item was given up.
SELECT j.name, sum(r.n) FROM rollups AS r JOIN jobs AS j ON j.id = r.job_id
WHERE r.hour >= :hour AND r.outcome = 'failed' GROUP BY j.id;

-- name: spent
-- What each job has spent, by quarters of an hour from :quarter on.
SELECT j.name, sum(s.usd_micros) FROM spent AS s JOIN jobs AS j ON j.id = s.job_id
WHERE s.at >= :quarter GROUP BY j.id;

-- name: found
-- Items that runs which ended since have found for the first time.
SELECT j.name, sum(r.new) FROM runs AS r JOIN jobs AS j ON j.id = r.job_id
WHERE r.id > coalesce((SELECT max(o.id) FROM runs AS o WHERE o.started_at < :since), 0) AND r.new > 0 GROUP BY j.id;

-- name: standing
-- How many items stand failed or wait now.
SELECT c.state, sum(c.n) FROM item_counts AS c JOIN jobs AS j ON j.id = c.job_id
WHERE c.state IN ('failed', 'waiting') AND j.state <> 'removed' GROUP BY c.state;

-- name: paused
-- Jobs that do not work now, with why.
SELECT name, coalesce(why, state) FROM jobs WHERE state IN ('paused', 'broken') ORDER BY position;

-- name: incidents
-- What has opened since and still is.
SELECT label || ' (' || class || ', ' || count || ' times)' FROM incidents
WHERE state = 'open' AND first_at >= :since ORDER BY last_at DESC, id DESC;

-- name: deeds
-- What people did since, by command.
SELECT name, count(*) FROM operations
WHERE id > coalesce((SELECT max(o.id) FROM operations AS o WHERE o.at < :since), 0) GROUP BY name ORDER BY 2 DESC;
