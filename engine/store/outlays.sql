-- name: reserve
-- An attempt is about to spend; only while it holds its row.
INSERT INTO outlays (item_id, stage_id, fence, job_id, epoch, usd_micros, at)
SELECT s.item_id, s.stage_id, :fence, :job, :epoch, :usd_micros, :now FROM item_stages AS s
WHERE s.item_id = :item AND s.stage_id = :stage AND s.state = 'running' AND s.fence = :fence AND s.owner = :epoch
ON CONFLICT DO UPDATE SET usd_micros = excluded.usd_micros, at = excluded.at;

-- name: owe
-- It knows better by now what it has spent.
UPDATE outlays SET usd_micros = :usd_micros WHERE item_id = :item AND stage_id = :stage AND fence = :fence;

-- name: any
-- Whether there is any: most engines never have one.
SELECT EXISTS (SELECT 1 FROM outlays);

-- name: booked
-- What an attempt has spent is booked with its end.
DELETE FROM outlays WHERE item_id = ? AND stage_id = ? AND fence = ?;

-- name: lost
-- What attempts of engines that are gone may have spent.
DELETE FROM outlays WHERE epoch < ? RETURNING job_id, item_id, stage_id, usd_micros;

-- name: others
-- What attempts may be spending, by job, but for one.
SELECT job_id, sum(usd_micros) FROM outlays WHERE (item_id, stage_id, fence) <> (?, ?, ?) GROUP BY job_id;

-- name: limits
-- Daily limits of all jobs (0) and of one, with the zone in which their day begins.
SELECT job_id, usd_micros, timezone FROM budgets WHERE job_id IN (0, ?);
