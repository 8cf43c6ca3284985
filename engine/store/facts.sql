-- name: rows
-- What the facts of these items are made of, and the facts as they stand.
SELECT i.id, i.job_id, i.key, i.title, i.data, i.signals, i.given, i.origin, f.name, i.path, i.confidence,
    i.signalled_at, i.priority, i.priority_by, i.priority_why, i.held
FROM items AS i JOIN jobs AS f ON f.id = i.source_id
WHERE i.id IN (SELECT value FROM json_each(?));

-- name: store
-- The facts of an item.
UPDATE items
SET priority = :priority, priority_by = CASE WHEN :priority IS NULL THEN NULL ELSE :by END, priority_why = :why,
    held = :held
WHERE id = :id;

-- name: shift
-- Rows in the queue move by what the slack of their priority has changed; since when they are ready stays.
UPDATE item_stages SET due_at = due_at + :shift WHERE item_id = :item AND state = 'ready';

-- name: signal
-- A stage gave signals of an item.
UPDATE items
SET signals = json_patch(signals, :signals), signalled_at = coalesce(signalled_at, :now), updated_at = :now
WHERE id = :item;

-- name: drop_deps
-- What an item waits for is said anew by the same who said it before.
DELETE FROM item_deps WHERE item_id = ? AND given_by = ?;

-- name: add_dep
-- An item waits for another one of its job.
INSERT OR IGNORE INTO item_deps (item_id, job_id, key, given_by) VALUES (?, ?, ?, ?);

-- name: deps_of
-- What an item waits for, as one of those who may say so said it.
SELECT key FROM item_deps WHERE item_id = ? AND given_by = ? ORDER BY key;

-- name: has_deps
-- Whether any item of a job waits for another one.
SELECT EXISTS (SELECT 1 FROM item_deps WHERE job_id = ?);

-- name: in_circle
-- Whether one of these keys waits, over any number of others, for the item that is to wait for them.
WITH RECURSIVE before (key) AS (
    SELECT value FROM json_each(:keys)
    UNION
    SELECT d.key FROM before AS b
    JOIN items AS i ON i.job_id = :job AND i.key = b.key
    JOIN item_deps AS d ON d.item_id = i.id
)
SELECT EXISTS (SELECT 1 FROM before WHERE key = :key);

-- name: unmet
-- What these items wait for: what is not finished, nor given up.
SELECT d.item_id, d.key, i.state
FROM item_deps AS d LEFT JOIN items AS i ON i.job_id = d.job_id AND i.key = d.key
WHERE d.item_id IN (SELECT value FROM json_each(?))
    AND coalesce(i.state NOT IN ('done', 'skipped', 'dropped', 'gone'), 1)
ORDER BY d.item_id, d.key;

-- name: moved
-- Items whose change of state means something for others.
SELECT m.item_id, i.job_id, i.state, i.closed, i.updated_at
FROM moved_items AS m CROSS JOIN items AS i ON i.id = m.item_id;

-- name: note_moved
-- An item is finished from the start; changes of state are noted by a trigger.
INSERT OR IGNORE INTO moved_items VALUES (?);

-- name: forget_moved
-- They are worked off.
DELETE FROM moved_items;

-- name: dependents
-- Items that wait for one of these.
SELECT d.item_id
FROM json_each(?) AS j JOIN items AS i ON i.id = j.value
JOIN item_deps AS d ON d.job_id = i.job_id AND d.key = i.key;

-- name: after
-- The next items of a job whose facts are decided anew.
SELECT id FROM items WHERE job_id = :job AND id > :after ORDER BY id LIMIT :n;

-- name: renewed_to
-- How far the facts of a job's items are decided anew; NULL: all are.
UPDATE jobs SET steer_from = :after WHERE id = :job;

-- name: to_renew
-- Jobs whose items have facts of an older configuration, and from which item on.
SELECT id, steer_from FROM jobs WHERE steer_from IS NOT NULL AND state <> 'removed';
