-- name: all_quotas
-- Every quota as it stands.
SELECT name, per_day, used, resets_at, blocked_until, failures, broken_until, why FROM quotas WHERE removed = 0;

-- name: forget_quotas
-- What the next configuration does not name any more is not shown with each configuration; what they have counted stays.
UPDATE quotas SET removed = 1;

-- name: put_quota
-- A quota as configured; what it has counted stays.
INSERT INTO quotas (name, per_day, concurrency, pace) VALUES (:name, :per_day, :concurrency, :pace)
ON CONFLICT DO UPDATE SET per_day = excluded.per_day, concurrency = excluded.concurrency, pace = excluded.pace,
    removed = 0;

-- name: quota
-- How much of a quota is used.
SELECT per_day, used, resets_at FROM quotas WHERE name = ?;

-- name: take
-- One more of a quota, in the transaction that reserves the call; a new day begins at nothing.
UPDATE quotas SET used = CASE WHEN resets_at > :now THEN used ELSE 0 END + 1,
    resets_at = CASE WHEN resets_at > :now THEN resets_at ELSE :resets_at END
WHERE name = :name;

-- name: give_back
-- A request was not sent after all.
UPDATE quotas SET used = max(0, used - 1) WHERE name = ? AND resets_at > ?;

-- name: mark
-- How a backend's mode fares: blocked, broken, or well.
UPDATE quotas SET blocked_until = max(blocked_until, :blocked_until), failures = :failures,
    broken_until = :broken_until, why = :why
WHERE name = :name;

-- name: clear_models
-- The aliases are written anew with each configuration.
DELETE FROM models;

-- name: put_model
-- An alias as configured.
INSERT INTO models (name, position, lanes, missing) VALUES (:name, :position, :lanes, :missing);

-- name: hold
-- What keeps an alias from being asked now.
UPDATE models SET hold = :hold, hold_until = :until WHERE name = :name;

-- name: clear_budgets
-- Daily limits are written anew with each configuration.
DELETE FROM budgets;

-- name: put_budget
-- A daily limit; job 0 stands for all of them.
INSERT INTO budgets (job_id, usd_micros, timezone) SELECT 0, :usd_micros, :timezone WHERE :job IS NULL
UNION ALL SELECT id, :usd_micros, :timezone FROM jobs WHERE name = :job;
