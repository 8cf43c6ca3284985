-- name: begin
-- A command on a set of items.
INSERT INTO bulks (id, targets, total, state, begun_at) VALUES (:id, :targets, :total, 'running', :now);

-- name: journal
-- Its place among what people did; its rows as they were stand in tables of their own.
INSERT INTO operations (at, name, job_id, args, before) VALUES (:now, :name, NULL, :args, '{}') RETURNING id;

-- name: one
-- A command on a set, with what was said.
SELECT b.id, o.name, b.total, b.looked, b.changed, b.restored, b.state, b.why, b.begun_at, b.ended_at, o.args, b.targets,
    b.below
FROM bulks AS b JOIN operations AS o ON o.id = b.id WHERE b.id = ?;

-- name: open
-- Those that have not come to their end.
SELECT id FROM bulks WHERE ended_at IS NULL ORDER BY id;

-- name: newest
-- The newest command that can be taken back, or the one with a number, and whether it was on a set.
SELECT o.id, b.id IS NOT NULL FROM operations AS o LEFT JOIN bulks AS b ON b.id = o.id
WHERE o.undone_at IS NULL AND o.before IS NOT NULL AND (CASE WHEN :id IS NULL THEN o.name <> 'rules' ELSE o.id = :id END)
ORDER BY o.id DESC LIMIT 1;

-- name: may_accept
-- Of these items, those that wait at a gate.
SELECT i.id FROM items AS i WHERE i.id IN (SELECT value FROM json_each(:items)) AND i.state <> 'snoozed' AND EXISTS (
    SELECT 1 FROM item_stages AS s JOIN stages AS g ON g.id = s.stage_id
    WHERE s.item_id = i.id AND s.state = 'waiting' AND s.opened_at IS NULL AND g.gate IS NOT NULL AND g.removed = 0
);

-- name: may_drop
-- Of these items, those that are not dropped yet.
SELECT i.id FROM items AS i WHERE i.id IN (SELECT value FROM json_each(:items)) AND i.state <> 'dropped';

-- name: may_cancel
-- Of these items, those of which something is left.
SELECT i.id FROM items AS i
WHERE i.id IN (SELECT value FROM json_each(:items)) AND i.state IN ('pending', 'waiting', 'failed', 'snoozed');

-- name: may_snooze
-- Of these items, those that can be put off.
SELECT i.id FROM items AS i
WHERE i.id IN (SELECT value FROM json_each(:items)) AND i.state IN ('pending', 'waiting', 'failed', 'snoozed');

-- name: may_prioritise
-- Of these items, those with another priority.
SELECT i.id FROM items AS i
WHERE i.id IN (SELECT value FROM json_each(:items)) AND i.state NOT IN ('dropped', 'gone') AND i.priority IS NOT :priority;

-- name: may_retry
-- Of these items, those with a stage that failed.
SELECT i.id FROM items AS i WHERE i.id IN (SELECT value FROM json_each(:items)) AND EXISTS (
    SELECT 1 FROM item_stages AS s JOIN stages AS g ON g.id = s.stage_id
    WHERE s.item_id = i.id AND s.state = 'failed' AND g.removed = 0
);

-- name: may_reset
-- Of these items, those that are done with a stage of that name, or failed there.
SELECT i.id FROM items AS i
WHERE i.id IN (SELECT value FROM json_each(:items)) AND i.state NOT IN ('dropped', 'gone') AND EXISTS (
    SELECT 1 FROM item_stages AS s JOIN stages AS g ON g.id = s.stage_id
    WHERE s.item_id = i.id AND s.state IN ('done', 'failed') AND g.name = :stage AND g.removed = 0
);

-- name: stages_again
-- Stages of a name, and all that stand after them.
WITH RECURSIVE again (id, job_id, name) AS (
    SELECT id, job_id, name FROM stages WHERE name = ? AND removed = 0
    UNION
    SELECT g.id, g.job_id, g.name FROM again AS a JOIN stages AS g ON g.job_id = a.job_id, json_each(g.after) AS f
    WHERE f.value = a.name AND g.removed = 0
)
SELECT id FROM again;

-- name: keep_again
-- Rows that are about to run again, as they are.
INSERT OR IGNORE INTO bulk_stages
SELECT :bulk, item_id, stage_id, state, due_at, fence, attempts, interruptions, started_at, ended_at, opened_at, answer,
    why, choices
FROM item_stages
WHERE item_id IN (SELECT value FROM json_each(:items)) AND stage_id IN (SELECT value FROM json_each(:again))
    AND state <> 'skipped';

-- name: keep_items
-- These items as they are.
INSERT OR IGNORE INTO bulk_items
    (bulk_id, item_id, state, revision, closed, closed_by, why, priority, priority_by, accepted_at, snoozed_until)
SELECT :bulk, id, state, revision, closed, closed_by, why, priority, priority_by, accepted_at, snoozed_until
FROM items WHERE id IN (SELECT value FROM json_each(:items));

-- name: keep_stages
-- Those of their rows that a command may change, as they are.
INSERT OR IGNORE INTO bulk_stages
SELECT :bulk, item_id, stage_id, state, due_at, fence, attempts, interruptions, started_at, ended_at, opened_at, answer,
    why, choices
FROM item_stages
WHERE item_id IN (SELECT value FROM json_each(:items)) AND state IN (SELECT value FROM json_each(:states));

-- name: come_back
-- What a snooze put off comes back with its item.
UPDATE item_stages SET state = 'ready', due_at = :now + coalesce(
    (SELECT CASE priority WHEN 0 THEN :p0 WHEN 1 THEN :p1 WHEN 2 THEN :p2 WHEN 3 THEN :p3 END FROM items WHERE id = item_id),
    :p_none)
WHERE item_id IN (
        SELECT id FROM items WHERE id IN (SELECT value FROM json_each(:items)) AND state = 'snoozed'
    )
    AND state = 'later' AND due_at = (SELECT snoozed_until FROM items WHERE id = item_id);

-- name: accept
-- A person lets items through their gates.
UPDATE item_stages SET state = 'ready', opened_at = :now, answer = NULL, why = NULL, choices = NULL, interruptions = 0,
    postponed = 0, postponed_since = NULL, due_at = :now + coalesce(
        (SELECT CASE priority WHEN 0 THEN :p0 WHEN 1 THEN :p1 WHEN 2 THEN :p2 WHEN 3 THEN :p3 END
         FROM items WHERE id = item_id),
        :p_none)
WHERE item_id IN (SELECT value FROM json_each(:items)) AND state = 'waiting' AND opened_at IS NULL
    AND stage_id IN (SELECT id FROM stages WHERE gate IS NOT NULL AND removed = 0);

-- name: accepted
-- When a person accepted them.
UPDATE items SET accepted_at = :now, why = NULL, updated_at = :now WHERE id IN (SELECT value FROM json_each(:items));

-- name: retry
-- Failed rows start again with fresh attempts.
UPDATE item_stages SET state = 'ready', attempts = 0, interruptions = 0, postponed = 0, postponed_since = NULL, why = NULL,
    ended_at = NULL, due_at = :now + coalesce(
        (SELECT CASE priority WHEN 0 THEN :p0 WHEN 1 THEN :p1 WHEN 2 THEN :p2 WHEN 3 THEN :p3 END
         FROM items WHERE id = item_id),
        :p_none)
WHERE item_id IN (SELECT value FROM json_each(:items)) AND state = 'failed'
    AND stage_id IN (SELECT id FROM stages WHERE removed = 0);

-- name: reset
-- Stages that are settled run again, with what depends on them; what runs of them loses its fence. Results stay until they
-- are replaced.
UPDATE item_stages
SET state = 'blocked', attempts = 0, interruptions = 0, postponed = 0, postponed_since = NULL, due_at = NULL, why = NULL,
    choices = NULL, owner = NULL, lease_until = NULL, started_at = NULL, ended_at = NULL,
    fence = fence + (state = 'running')
WHERE item_id IN (SELECT value FROM json_each(:items)) AND stage_id IN (SELECT value FROM json_each(:again))
    AND state <> 'skipped';

-- name: close
-- Skip what is left of these items; a running attempt loses its fence.
UPDATE item_stages SET state = 'skipped', why = :why, ended_at = :now, due_at = NULL, owner = NULL, lease_until = NULL,
    fence = fence + (state = 'running')
WHERE item_id IN (SELECT value FROM json_each(:items))
    AND state IN ('blocked', 'ready', 'running', 'waiting', 'later', 'failed');

-- name: dropped
-- Won't do.
UPDATE items SET state = 'dropped', why = :why, snoozed_until = NULL, updated_at = :now
WHERE id IN (SELECT value FROM json_each(:items));

-- name: cancelled
-- A person says that these items are finished.
UPDATE items SET closed = 'cancelled', closed_by = 'person', why = 'cancelled', updated_at = :now
WHERE id IN (SELECT value FROM json_each(:items));

-- name: put_off
-- What would run of items that are about to be snoozed comes back with them.
UPDATE item_stages SET state = 'later', due_at = CASE
        WHEN state = 'later' AND due_at IS NOT (SELECT snoozed_until FROM items WHERE id = item_id) THEN max(due_at, :until)
        ELSE :until END
WHERE item_id IN (SELECT value FROM json_each(:items)) AND state IN ('ready', 'later');

-- name: snoozed
-- Look again later.
UPDATE items SET state = 'snoozed', snoozed_until = :until, why = :why, updated_at = :now
WHERE id IN (SELECT value FROM json_each(:items)) AND state IN ('pending', 'waiting', 'failed', 'snoozed');

-- name: prioritised
-- A person's priority.
UPDATE items
SET priority = :priority, priority_by = CASE WHEN :priority IS NULL THEN NULL ELSE 'person' END, updated_at = :now
WHERE id IN (SELECT value FROM json_each(:items));

-- name: requeue
-- Ready rows move to the place in the queue that the priority of their item gives.
UPDATE item_stages SET due_at = :now + coalesce(
    (SELECT CASE priority WHEN 0 THEN :p0 WHEN 1 THEN :p1 WHEN 2 THEN :p2 WHEN 3 THEN :p3 END FROM items WHERE id = item_id),
    :p_none)
WHERE item_id IN (SELECT value FROM json_each(:items)) AND state = 'ready';

-- name: tell_items
-- What was done, for the history of each.
INSERT INTO events (at, kind, level, actor, job_id, item_id, text)
SELECT :now, :kind, 'info', 'person', job_id, id, :text FROM items WHERE id IN (SELECT value FROM json_each(:items));

-- name: moved_on
-- How far it has come.
UPDATE bulks SET looked = :looked, below = :below, changed = changed + :changed, restored = restored + :restored,
    why = coalesce(why, :why)
WHERE id = :bulk;

-- name: ended
-- It has come to its end.
UPDATE bulks SET state = CASE state WHEN 'running' THEN 'done' ELSE 'undone' END, ended_at = :now
WHERE id = :bulk AND ended_at IS NULL;

-- name: take_back
-- From here on it is taken back, whether it has come to its end or not.
UPDATE bulks SET state = 'undoing', looked = 0, below = NULL, why = NULL, ended_at = NULL WHERE id = :bulk AND state IN ('running', 'done');

-- name: undone
-- It cannot be taken back a second time.
UPDATE operations SET undone_at = :now WHERE id = :bulk AND undone_at IS NULL;

-- name: kept
-- The next items that it changed, and the last of them first.
SELECT item_id FROM bulk_items WHERE bulk_id = :bulk AND (:below IS NULL OR item_id < :below) ORDER BY item_id DESC LIMIT :n;

-- name: left_alone
-- Of these items, those that have moved on since, with how. What an attempt has made of them since is not taken back.
SELECT k.item_id, CASE
        WHEN i.id IS NULL THEN 'it is there no more'
        WHEN k.item_id IN (SELECT value FROM json_each(:touched)) OR EXISTS (
            SELECT 1 FROM bulks AS b JOIN bulk_items AS l ON l.bulk_id = b.id AND l.item_id = k.item_id
            WHERE b.id > :bulk AND l.taken_back = 0
        ) THEN 'a later command changed it too'
        WHEN :name <> 'cancel' AND i.closed IS NOT NULL AND i.closed IS NOT k.closed
            THEN 'its source closed it meanwhile'
        WHEN i.state = 'gone' AND k.state <> 'gone' THEN 'it is gone meanwhile'
        WHEN :name = 'snooze' AND i.state <> 'snoozed' THEN 'it is not snoozed any more'
        WHEN :name NOT IN ('prioritise', 'snooze') AND i.revision IS NOT k.revision
            THEN 'its content changed meanwhile'
        WHEN :name NOT IN ('prioritise', 'snooze') AND EXISTS (
            SELECT 1 FROM bulk_stages AS w JOIN item_stages AS s ON s.item_id = w.item_id AND s.stage_id = w.stage_id
            WHERE w.bulk_id = k.bulk_id AND w.item_id = k.item_id AND s.state <> 'running'
                AND s.fence > w.fence + (w.state = 'running')
        ) THEN 'it has run since'
    END AS how
FROM bulk_items AS k LEFT JOIN items AS i ON i.id = k.item_id
WHERE k.bulk_id = :bulk AND k.item_id IN (SELECT value FROM json_each(:items)) AND how IS NOT NULL;

-- name: restore_stages
-- Rows as they were; what runs meanwhile loses its fence, and what ran then queues again.
UPDATE item_stages
SET state = CASE w.state WHEN 'running' THEN 'ready' ELSE w.state END,
    due_at = CASE w.state WHEN 'running' THEN :now ELSE w.due_at END,
    attempts = max(0, w.attempts - (w.state = 'running')), interruptions = w.interruptions,
    started_at = w.started_at, ended_at = w.ended_at, opened_at = w.opened_at, answer = w.answer, why = w.why,
    choices = w.choices, owner = NULL, lease_until = NULL, fence = item_stages.fence + (item_stages.state = 'running')
FROM bulk_stages AS w
WHERE w.bulk_id = :bulk AND w.item_id IN (SELECT value FROM json_each(:items))
    AND item_stages.item_id = w.item_id AND item_stages.stage_id = w.stage_id;

-- name: put_back
-- The place of rows in time as it was; what has run since has not to run again.
UPDATE item_stages SET state = CASE w.state WHEN 'later' THEN 'later' ELSE 'ready' END, due_at = w.due_at
FROM bulk_stages AS w
WHERE w.bulk_id = :bulk AND w.item_id IN (SELECT value FROM json_each(:items)) AND w.state IN ('ready', 'later')
    AND item_stages.item_id = w.item_id AND item_stages.stage_id = w.stage_id
    AND item_stages.fence = w.fence AND item_stages.state IN ('ready', 'later');

-- name: revive
-- Rows that never ran, of stages that came or were enabled while their items were closed or dropped.
UPDATE item_stages SET state = 'blocked', due_at = NULL, why = NULL, ended_at = NULL
WHERE item_id IN (SELECT value FROM json_each(:items)) AND state = 'skipped' AND fence = 0
    AND why IN (:why, 'the stage is disabled') AND stage_id IN (SELECT value FROM json_each(:stages));

-- name: restore_items
-- What was said of items as a whole, as it was.
UPDATE items SET state = k.state, closed = k.closed, closed_by = k.closed_by, why = k.why, accepted_at = k.accepted_at,
    snoozed_until = k.snoozed_until, updated_at = :now
FROM bulk_items AS k
WHERE k.bulk_id = :bulk AND k.item_id IN (SELECT value FROM json_each(:items)) AND items.id = k.item_id;

-- name: put_priority_back
-- The priorities as they were, and who gave them.
UPDATE items SET priority = k.priority, priority_by = k.priority_by, updated_at = :now
FROM bulk_items AS k
WHERE k.bulk_id = :bulk AND k.item_id IN (SELECT value FROM json_each(:items)) AND items.id = k.item_id;

-- name: taken_back
-- These items are as they were.
UPDATE bulk_items SET taken_back = 1 WHERE bulk_id = :bulk AND item_id IN (SELECT value FROM json_each(:items));

-- name: taken_back_of
-- What was taken back, to be done again.
SELECT item_id FROM bulk_items WHERE bulk_id = ? AND taken_back = 1 ORDER BY item_id;

-- name: touched_since
-- Items that a later command on single ones changed, which was not taken back.
SELECT DISTINCT j.value ->> 'item' FROM operations AS o, json_each(o.before, '$.items') AS j
WHERE o.id > :bulk AND o.undone_at IS NULL;
