-- name: alike
-- These items, those alike together: what was said of them as a whole, and of each row its stage, its state, and whether
-- its gate was opened.
SELECT state, closed, held, stages, json_group_array(id) FROM (
    SELECT i.id, i.state, i.closed, i.held IS NOT NULL AS held,
        (SELECT group_concat(s.stage_id || ' ' || s.state || ' ' || (s.opened_at IS NOT NULL))
         FROM item_stages AS s WHERE s.item_id = i.id) AS stages
    FROM items AS i WHERE i.id IN (SELECT value FROM json_each(?))
) GROUP BY state, closed, held, stages;

-- name: unblock_ready
-- Everything before these rows is done or skipped: they join the queue.
UPDATE item_stages
SET state = 'ready',
    due_at = :now + coalesce(
        (SELECT CASE priority WHEN 0 THEN :p0 WHEN 1 THEN :p1 WHEN 2 THEN :p2 WHEN 3 THEN :p3 END
         FROM items WHERE id = item_id),
        :p_none
    )
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items)) AND +state = 'blocked';

-- name: unblock_waiting
-- Everything before these rows is done or skipped, and a person has to open their gate.
UPDATE item_stages SET state = 'waiting', due_at = NULL
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items)) AND +state = 'blocked';

-- name: unblock_skipped
-- These rows stand at a disabled stage.
UPDATE item_stages SET state = 'skipped', due_at = NULL, why = 'the stage is disabled', ended_at = :now
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items)) AND +state = 'blocked';

-- name: hold
-- The items of these rows may not start any more, or something stands before them now: they leave the queue.
UPDATE item_stages SET state = 'blocked', due_at = NULL
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items)) AND +state IN ('ready', 'later');

-- name: put_off
-- What would run of a snoozed item before its time comes back with it.
UPDATE item_stages SET state = 'later', due_at = (SELECT snoozed_until FROM items WHERE id = item_id)
WHERE item_id IN (SELECT value FROM json_each(:items)) AND +state IN ('ready', 'later')
    AND (+state = 'ready' OR due_at < (SELECT snoozed_until FROM items WHERE id = item_id));

-- name: set_item_state
-- The derived state of items; guarded by the state it was derived over. Why they failed, waited or were put off is over
-- with it.
UPDATE items
SET state = :state, snoozed_until = NULL, updated_at = :now,
    why = CASE WHEN closed IS NULL AND (:state IN ('pending', 'done') OR :old = 'snoozed') THEN NULL ELSE why END
WHERE id IN (SELECT value FROM json_each(:items)) AND state = :old;
